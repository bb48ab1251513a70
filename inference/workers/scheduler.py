"""SearchScheduler: the searches of one worker, taken step by step in turn.

Parts of like length and equal settings are searched together. A search takes those that wait when
it starts, oldest first; each turn starts one search at most and takes one step of the one that has
had the least time. So a short part waits for a step or two of a long one or of a full batch, never
for its end, and nothing waits for what came later.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch

from longspan.inference.search.search import Search
from longspan.inference.search.settings import SearchSettings
from longspan.inference.search.spelling import Spelling
from longspan.inference.search.walk import SearchModel
from longspan.inference.workers.messages import TranslationJob, TranslationResult
from longspan.training.errors import LongspanError
from longspan.training.model.model import DecoderState, Memory
from longspan.training.tokenizer.tokenizer import PAD

__all__ = ["Failure", "Partial", "SearchScheduler", "Turn"]

# Searches at a time: of all kinds, and of one. More would share the processor without being faster.
# One that is shorter than all of them is let in nevertheless.
_MOST_RUNS, _MOST_OF_A_KIND = 8, 2
_SHORTEST_CLASS = 16
_PARTIAL_SECONDS = 0.05


@dataclass(frozen=True)
class Failure:
    """A job that the model broke on."""

    number: int
    reason: str


@dataclass(frozen=True)
class Partial:
    """What a job has so far."""

    number: int
    ids: list[int]


@dataclass(frozen=True)
class Turn:
    """What one turn brought."""

    results: list[TranslationResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    partials: list[Partial] = field(default_factory=list)


@dataclass(frozen=True)
class _BatchKey:
    settings: SearchSettings
    length: int  # the most source tokens of its class


@dataclass(frozen=True)
class _Waiting:
    job: TranslationJob
    since: float


class _RunningSearch:
    """One search and whose it is."""

    def __init__(
        self,
        kind: _BatchKey,
        members: Sequence[_Waiting],
        search: Search[Memory, DecoderState],
        now: float,
    ):
        self.kind = kind
        self.members = list(members)
        self.search = search
        self.started = now
        self.told = now
        self.used = 0.0  # seconds of its steps, and what others had when it came
        self.dropped: set[int] = set()  # job numbers

    @property
    def wants_partials(self) -> bool:
        return any(member.job.partial for member in self.members)


class SearchScheduler:
    """Jobs in, results out. `batch_tokens` are source tokens of a search, padding counted,
    `batch_size` its parts; a part longer than that is searched alone."""

    def __init__(
        self,
        model: SearchModel[Memory, DecoderState],
        spelling: Spelling,
        device: torch.device,
        batch_tokens: int = 4096,
        batch_size: int = 64,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._spelling = spelling
        self._device = device
        self._batch_tokens = batch_tokens
        self._batch_size = batch_size
        self._clock = clock
        self._waiting: dict[_BatchKey, deque[_Waiting]] = {}
        self._running: deque[_RunningSearch] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._running and not self._waiting

    @property
    def patience(self) -> float | None:
        """Seconds until a turn has something to do; None where only a new job brings that."""
        if self._running:
            return 0.0
        due = [queue[0].since + queue[0].job.delay for queue in self._waiting.values()]
        return max(0.0, min(due) - self._clock()) if due else None

    def add(self, job: TranslationJob) -> None:
        """Queue a job."""
        kind = _BatchKey(job.settings, _class_of(len(job.ids)))
        self._waiting.setdefault(kind, deque()).append(_Waiting(job, self._clock()))

    def drop(self, number: int) -> None:
        """Nobody wants this job any more; unknown numbers are of jobs that have ended."""
        for kind, queue in list(self._waiting.items()):
            left = deque(entry for entry in queue if entry.job.number != number)
            if left:
                self._waiting[kind] = left
            else:
                del self._waiting[kind]
        for run in self._running:
            for place, member in enumerate(run.members):
                if member.job.number == number:
                    run.search.drop(place)
                    run.dropped.add(number)

    def turn(self) -> Turn:
        """Start what can be, then take one step of the search whose turn it is."""
        turn = Turn()
        self._start(turn)
        if not self._running:
            return turn
        run = min(self._running, key=lambda one: one.used)
        self._running.remove(run)
        begun = self._clock()
        try:
            ended = run.search.step()
            run.used += self._clock() - begun
            if ended:
                turn.results.extend(self._results(run, ended))
        except (LongspanError, RuntimeError) as error:
            turn.failures.extend(_failures(run.members, error))
            return turn
        if run.search.running:
            self._running.append(run)
            turn.partials.extend(self._partials(run))
        return turn

    def _start(self, turn: Turn) -> None:
        """A search for what has waited longest and may start. One alone, since to start is to
        read the whole source: nobody should wait while many are read."""
        if (kind := self._next_kind()) is None:
            return
        members = self._take(kind)
        try:
            self._running.appendleft(self._run(kind, members))
        except (LongspanError, RuntimeError) as error:
            turn.failures.extend(_failures(members, error))

    def _next_kind(self) -> _BatchKey | None:
        now = self._clock()
        ready = [
            (queue[0].since, kind)
            for kind, queue in self._waiting.items()
            if self._may_start(kind, queue, now)
        ]
        return min(ready, key=lambda entry: entry[0])[1] if ready else None

    def _may_start(self, kind: _BatchKey, queue: "deque[_Waiting]", now: float) -> bool:
        if sum(run.kind == kind for run in self._running) >= _MOST_OF_A_KIND:
            return False
        shortest = all(kind.length < run.kind.length for run in self._running)
        if len(self._running) >= _MOST_RUNS and not shortest:
            return False
        return len(queue) >= self._most(kind) or now >= queue[0].since + queue[0].job.delay

    def _most(self, kind: _BatchKey) -> int:
        return max(1, min(self._batch_size, self._batch_tokens // kind.length))

    def _take(self, kind: _BatchKey) -> list[_Waiting]:
        queue = self._waiting[kind]
        taken = [queue.popleft() for _ in range(min(len(queue), self._most(kind)))]
        if not queue:
            del self._waiting[kind]
        return taken

    def _run(self, kind: _BatchKey, members: Sequence[_Waiting]) -> _RunningSearch:
        lengths = [len(member.job.ids) for member in members]
        source = torch.full((len(members), max(lengths)), PAD)
        for row, member in enumerate(members):
            source[row, : lengths[row]] = torch.tensor(member.job.ids)
        search = Search(
            self._model,
            source.to(self._device),
            torch.tensor(lengths, device=self._device),
            kind.settings,
            self._spelling,
        )
        run = _RunningSearch(kind, members, search, self._clock())
        run.used = min((one.used for one in self._running), default=0.0)
        return run

    def _results(self, run: _RunningSearch, ended: Sequence[int]) -> Iterable[TranslationResult]:
        now = self._clock()
        for place, hypotheses in zip(ended, run.search.hypotheses(ended), strict=True):
            member = run.members[place]
            if member.job.number not in run.dropped:
                yield TranslationResult(
                    member.job.number,
                    tuple(hypotheses),
                    waited=run.started - member.since,
                    worked=now - run.started,
                    together=len(run.members),
                )

    def _partials(self, run: _RunningSearch) -> Iterable[Partial]:
        now = self._clock()
        if not run.wants_partials or now < run.told + _PARTIAL_SECONDS:
            return
        run.told = now
        for place in run.search.places():
            job = run.members[place].job
            if job.partial and job.number not in run.dropped:
                yield Partial(job.number, run.search.so_far(place))


def _failures(members: Sequence[_Waiting], error: Exception) -> list[Failure]:
    reason = " ".join(str(error).split())
    return [Failure(member.job.number, reason) for member in members]


def _class_of(length: int) -> int:
    """Lengths up to 16, 32, 64 ... go together: padding less than doubles the work."""
    bound = _SHORTEST_CLASS
    while bound < length:
        bound *= 2
    return bound
