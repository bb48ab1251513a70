"""The scheduler of one worker: several searches that take turns, one step at a time.

Parts of similar length with equal settings wait in one queue and are searched together. A search
takes the parts that wait when it starts, oldest first. Each turn starts at most one search and
computes one step of the search that has used the least time:

    queues (settings, length)     running searches         turns
    beam 5, up to 16:  p7 p8      A: p1 p2 p3, 12 steps    A B A C B A ...
    beam 5, up to 32:  p9         B: p4, 3 steps
    beam 1, up to 16:             C: p5 p6, 1 step

So a short part waits for a step or two of a long one or of a full batch, and not for its end. A
part never waits for parts of its queue that came later.
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

# Searches at a time: in all, and from one queue. More would share the processor without being
# faster. A search of shorter parts than all others may start nevertheless.
_MOST_RUNS, _MOST_OF_A_KIND = 8, 2
_SHORTEST_CLASS = 16  # source tokens
_PARTIAL_SECONDS = 0.05  # between two partial results of one search


@dataclass(frozen=True)
class Failure:
    """A job for which the model raised an error."""

    number: int
    reason: str


@dataclass(frozen=True)
class Partial:
    """The tokens of a running job until now."""

    number: int
    ids: list[int]


@dataclass(frozen=True)
class Turn:
    """The events of one turn."""

    results: list[TranslationResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    partials: list[Partial] = field(default_factory=list)


@dataclass(frozen=True)
class _BatchKey:
    settings: SearchSettings
    length: int  # the most source tokens of a part in this queue
    is_given: bool  # whether its targets are given


@dataclass(frozen=True)
class _Waiting:
    job: TranslationJob
    since: float


class _RunningSearch:
    """One search and its jobs."""

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
        self.told = now  # time of the last partial results
        self.used = 0.0  # seconds of its steps, plus the least that others had used at its start
        self.dropped: set[int] = set()  # job numbers

    @property
    def wants_partials(self) -> bool:
        return any(member.job.partial for member in self.members)


class SearchScheduler:
    """Takes jobs and returns results, turn by turn.

    A search has at most `batch_tokens` source tokens, padding counted, and `batch_size` parts. A
    longer part is searched alone.
    """

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
        """Whether there are no jobs."""
        return not self._running and not self._waiting

    @property
    def patience(self) -> float | None:
        """Seconds until a turn has work to do; None without any jobs."""
        if self._running:
            return 0.0
        due = [queue[0].since + queue[0].job.delay for queue in self._waiting.values()]
        return max(0.0, min(due) - self._clock()) if due else None

    def add(self, job: TranslationJob) -> None:
        """Queue a job."""
        kind = _BatchKey(job.settings, _class_of(len(job.ids)), job.target is not None)
        self._waiting.setdefault(kind, deque()).append(_Waiting(job, self._clock()))

    def drop(self, number: int) -> None:
        """Cancel a job. Numbers of jobs that have ended are ignored."""
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
        """Start a search where one may start, then compute one step of the search that is next."""
        turn = Turn()
        self._start(turn)
        if not self._running:
            return turn
        # Of equals `min` takes the first. Searches go to the end after a step, so equals take
        # turns.
        run = min(self._running, key=lambda one: one.used)
        self._running.remove(run)
        begun = self._clock()
        try:
            ended = run.search.step()
            run.used += self._clock() - begun
            if ended:
                turn.results.extend(self._results(run, ended))
        except (LongspanError, RuntimeError) as error:
            # A search that has failed is not put back: its error may come from any of its parts.
            turn.failures.extend(_failures(run.members, error))
            return turn
        if run.search.running:
            self._running.append(run)
            turn.partials.extend(self._partials(run))
        return turn

    def _start(self, turn: Turn) -> None:
        """Start a search for the parts that have waited longest and may start.

        One search a turn, because the start encodes the whole source, and the others wait for it.
        """
        if (kind := self._next_kind()) is None:
            return
        members = self._take(kind)
        try:
            # In front: it has used as little as the least of the others and gets the next step.
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
        # So a short part starts even while long ones fill all places.
        shortest = all(kind.length < run.kind.length for run in self._running)
        if len(self._running) >= _MOST_RUNS and not shortest:
            return False
        # A full batch gains nothing by waiting.
        return len(queue) >= self._most(kind) or now >= queue[0].since + queue[0].job.delay

    def _most(self, kind: _BatchKey) -> int:
        # By the longest part that the queue may hold, because shorter ones are padded up to it.
        return max(1, min(self._batch_size, self._batch_tokens // kind.length))

    def _take(self, kind: _BatchKey) -> list[_Waiting]:
        queue = self._waiting[kind]
        taken = [queue.popleft() for _ in range(min(len(queue), self._most(kind)))]
        if not queue:
            del self._waiting[kind]
        return taken

    def _run(self, kind: _BatchKey, members: Sequence[_Waiting]) -> _RunningSearch:
        lengths = [len(member.job.ids) for member in members]
        # (parts, longest), padded at the end
        source = torch.full((len(members), max(lengths)), PAD)
        for row, member in enumerate(members):
            source[row, : lengths[row]] = torch.tensor(member.job.ids)
        search = Search(
            self._model,
            source.to(self._device),
            torch.tensor(lengths, device=self._device),
            kind.settings,
            self._spelling,
            [member.job.target or () for member in members] if kind.is_given else None,
        )
        run = _RunningSearch(kind, members, search, self._clock())
        # Not 0: a newcomer would then get all turns until it had caught up with older searches.
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
    """Return the class of a length: 16, 32, 64 ... Padding at most doubles the work of a class."""
    bound = _SHORTEST_CLASS
    while bound < length:
        bound *= 2
    return bound
