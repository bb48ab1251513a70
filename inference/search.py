"""Batched beam search over any model that has `encode`, `initial_state` and `step`.

Each sentence keeps `beam_size` live hypotheses, ranked by log-probability (they all have the
same length), and a pool of finished ones, ranked by the penalised score of Wu et al. 2016
(see `penalties`). A hypothesis finishes when EOS is among the sentence's best `beam_size`
continuations. A sentence is done as soon as

- its `n_best` best finished hypotheses score at least what any live one can still reach: its
  log-probability over the length penalty of the longest output allowed, with coverage penalty 0
  (log-probability only falls, the length penalty only grows); or
- `beam_size` finished hypotheses score at least what the best live one would score if it ended
  now. So beam 1 is exactly greedy search, and an early end that scores worse than what is live
  does not count: the ends of the sentences inside a long text do not cut it short; or
- its output reached the limit, which follows the source's length. What is live then is returned
  with `finished=False`, after the finished hypotheses.

Sentences that are done leave the batch.
"""

from collections.abc import Sequence
from typing import Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor

from longspan.inference.hypotheses import Ending, History, Pool
from longspan.inference.hypothesis import Hypothesis
from longspan.inference.penalties import coverage_penalty, length_penalty
from longspan.inference.settings import SearchSettings
from longspan.training.errors import HyperparameterError, LongspanError
from longspan.training.tokenizer import BOS, EOS, PAD

__all__ = ["Hypothesis", "Search", "SearchSettings", "Steps", "search"]


class Rows(Protocol):
    """Tensors whose first dimension is the batch."""

    def select(self, index: Tensor, /) -> Self:
        """The rows `index`, in that order, repeated at will."""
        ...


class MemoryRows(Rows, Protocol):
    """What the source sentences were read into."""

    @property
    def mask(self) -> Tensor:
        """(batch, source), True at real tokens."""
        ...


MemoryT = TypeVar("MemoryT", bound=MemoryRows)
StateT = TypeVar("StateT", bound=Rows)


class Steps(Protocol[MemoryT, StateT]):
    """What search asks of a model; `training.model.Model` is one."""

    def encode(self, source: Tensor, lengths: Tensor, /) -> MemoryT:
        """Read token ids (batch, source)."""
        ...

    def initial_state(self, memory: MemoryT, /) -> StateT:
        """The state before the first token."""
        ...

    def step(
        self, previous: Tensor, state: StateT, memory: MemoryT, /
    ) -> tuple[Tensor, StateT, Tensor | None]:
        """Logits (batch, vocabulary), next state, attention (batch, heads, source) or None."""
        ...


class Search(Generic[MemoryT, StateT]):
    """A search that its owner takes step by step, many of them in turn where it likes.

    `source` (batch, source) of `lengths` (batch,) tokens, PAD after. Model and batch are on one
    device; the caller has put the model into evaluation mode.

    Raises HyperparameterError if a coverage penalty is asked of a model without attention, and
    LongspanError if the model's output is not a number.
    """

    @torch.inference_mode()
    def __init__(
        self,
        model: Steps[MemoryT, StateT],
        source: Tensor,
        lengths: Tensor,
        settings: SearchSettings,
    ) -> None:
        self._model = model
        self._lengths = lengths.tolist()
        limits = settings.limits(lengths.to(source.device))
        self._beams = _Beams(len(source), limits, settings)
        memory = model.encode(source, lengths)
        rows = torch.arange(len(source), device=source.device)
        rows = rows.repeat_interleave(settings.beam_size)
        self._state, self._memory = model.initial_state(memory).select(rows), memory.select(rows)

    @property
    def running(self) -> int:
        """Sentences that have not ended."""
        return len(self._beams.running)

    def places(self) -> list[int]:
        """The numbers of the running sentences."""
        numbers: list[int] = self._beams.running.tolist()
        return numbers

    @torch.inference_mode()
    def step(self) -> list[int]:
        """One more target token of every running sentence; the numbers of those that ended."""
        beams = self._beams
        before = beams.running
        logits, state, weights = self._model.step(beams.previous, self._state, self._memory)
        rows = beams.advance(logits, weights, self._memory.mask)
        if len(beams.running) == len(before):
            self._state = state.select(rows)
            return []
        if len(rows):
            self._state = state.select(rows)
            # Beams of a sentence share its memory: their order is free.
            self._memory = self._memory.select(rows)
        return sorted(set(before.tolist()) - set(beams.running.tolist()))

    def hypotheses(self, sentences: Sequence[int]) -> list[list[Hypothesis]]:
        """The `n_best` distinct ones of each of the `sentences`, which have ended (fewer where no
        more are possible): finished ones first, each kind by falling score."""
        return self._beams.hypotheses(sentences, self._lengths)

    def so_far(self, sentence: int) -> list[int]:
        """The tokens of the best live hypothesis of a running sentence; with beam 1 they stay."""
        return self._beams.so_far(sentence)

    @torch.inference_mode()
    def drop(self, sentence: int) -> None:
        """End it with the next step, whatever it has."""
        self._beams.limits[sentence] = 0


def search(
    model: Steps[MemoryT, StateT], source: Tensor, lengths: Tensor, settings: SearchSettings
) -> list[list[Hypothesis]]:
    """Translate a batch to its end: what `Search` takes, and `hypotheses` of each sentence."""
    if not len(source):
        return []
    going = Search(model, source, lengths, settings)
    while going.running:
        going.step()
    return going.hypotheses(range(len(source)))


class _Beams:
    """The live and the ended hypotheses of a batch, for the time of one search."""

    def __init__(self, sentences: int, limits: Tensor, settings: SearchSettings) -> None:
        beam, device = settings.beam_size, limits.device
        self.settings = settings
        self.limits = limits  # (sentence,)
        self.running = torch.arange(sentences, device=device)  # sentence numbers
        self.previous = torch.full((sentences * beam,), BOS, device=device)
        # Summed in float64, since the rounding of thousands of float32 sums would show. All
        # beams of a sentence are alike at first, so only one of them may be continued.
        self._sums = torch.full((sentences, beam), -torch.inf, dtype=torch.float64, device=device)
        self._sums[:, 0] = 0.0
        self._coverage: Tensor | None = None  # (running, beam, source)
        self._length = 0
        self._finished = Pool(sentences, beam, finished=True, device=device)
        self._stopped = Pool(sentences, beam, finished=False, device=device)
        self._history = History(sentences)

    def advance(self, logits: Tensor, weights: Tensor | None, mask: Tensor) -> Tensor:
        """Take one step's logits and attention, of all rows (running x beam).

        Returns the rows that go on, in their new order; `running` and `previous` fit them.
        """
        attention = self._attention(weights)
        beam = self.settings.beam_size
        sums, parents, tokens = self._candidates(logits)  # (running, candidates)
        self._length += 1
        now = length_penalty(float(self._length), self.settings.length_penalty)
        covered = self._cover(attention, mask)  # (running, beam), at most 0

        ends = tokens == EOS
        ends[:, beam:] = False  # not among the best of its sentence
        scores = (sums / now + covered.gather(1, parents)).masked_fill(~ends, -torch.inf)
        self._finished.add(self.running, scores, sums, self._length - 1, parents)

        live = sums.masked_fill(tokens == EOS, -torch.inf)
        self._sums, chosen = live.topk(beam, dim=1)
        parents, tokens = parents.gather(1, chosen), tokens.gather(1, chosen)
        with_alignment = self.settings.with_alignment
        self._history.record(self.running, tokens, parents, attention if with_alignment else None)
        return self._leave(parents, tokens, self._sums / now + covered.gather(1, parents))

    def hypotheses(
        self, sentences: Sequence[int], source_lengths: list[int]
    ) -> list[list[Hypothesis]]:
        """The `n_best` of each of the `sentences`, which have ended."""
        finished, stopped = self._finished.endings(), self._stopped.endings()
        kept = [(finished[i] + stopped[i])[: self.settings.n_best] for i in sentences]
        flat = self._history.rebuild([end for ends in kept for end in ends], source_lengths)
        rebuilt = iter(flat)
        return [[next(rebuilt) for _ in ends] for ends in kept]

    def so_far(self, sentence: int) -> list[int]:
        """The best live tokens of a running sentence."""
        end = Ending(sentence, 0, self._length, 0.0, 0.0, False)
        return self._history.tokens_of(end)

    def _attention(self, weights: Tensor | None) -> Tensor | None:
        """Averaged over heads, (running, beam, source), where anything needs it."""
        wanted = self.settings.coverage_penalty > 0
        if wanted and self._length == 0 and (weights is None or not bool(weights.any())):
            raise HyperparameterError(
                f"coverage_penalty={self.settings.coverage_penalty}: needs attention weights, and "
                "this model has no attention; set coverage_penalty=0"
            )
        if weights is None or not (wanted or self.settings.with_alignment):
            return None
        return weights.mean(dim=1).view(len(self.running), self.settings.beam_size, -1)

    def _candidates(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The best continuations of each sentence, best first: sums, parent beams, tokens.

        Of a row no more than beam + 1 tokens can matter (as many live ones and EOS), so that the
        whole vocabulary is read twice, but never copied. PAD and BOS, and EOS below the least
        length, are read in addition, and then made impossible.
        """
        beam = self.settings.beam_size
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        norm = logits.logsumexp(dim=-1, keepdim=True)
        top, tokens = logits.topk(min(beam + 3, logits.shape[-1]), dim=-1)
        forbidden = (tokens == PAD) | (tokens == BOS)
        if self._length < self.settings.min_length:
            forbidden |= tokens == EOS
        chances = (top.double() - norm.double()).masked_fill(forbidden, -torch.inf)
        shape = (len(self.running), beam, -1)
        sums = (self._sums[..., None] + chances.view(shape)).flatten(1)  # (running, beam x top)
        sums, order = sums.topk(min(2 * beam, sums.shape[1]), dim=1)
        parents = order // top.shape[1]
        return sums, parents, tokens.view(len(self.running), -1).gather(1, order)

    def _cover(self, attention: Tensor | None, mask: Tensor) -> Tensor:
        """The coverage penalty of each beam with this step's attention, (running, beam)."""
        if self.settings.coverage_penalty == 0 or attention is None:
            return torch.zeros_like(self._sums)
        self._coverage = attention if self._coverage is None else self._coverage + attention
        real = mask.view(*self._coverage.shape)
        return coverage_penalty(self._coverage, real, self.settings.coverage_penalty).double()

    def _leave(self, parents: Tensor, tokens: Tensor, scores: Tensor) -> Tensor:
        """Drop the sentences that are done; the rows to go on with, as before the step."""
        settings = self.settings
        limits = self.limits[self.running]
        best = self._sums[:, 0]
        reachable = best / length_penalty(limits.double(), settings.length_penalty)
        finished = self._finished.score[self.running]  # (running, beam), best first
        full = finished[:, -1] >= scores.amax(dim=1)
        over = self._length >= limits
        done = (finished[:, settings.n_best - 1] >= reachable) | full | over
        flags = torch.stack([done.any(), (over & ~full).any(), best.isnan().any()]).tolist()
        any_done, any_over, broken = flags  # one wait for the device, not three
        if broken:
            raise LongspanError(
                f"the model's output at target token {self._length} is not a number (NaN): its "
                "weights are broken or overflow; train it again or use precision=fp32"
            )
        rows = torch.arange(len(done), device=done.device)
        if any_over:
            self._stop(over, scores)
        if any_done:
            rows = (~done).nonzero().squeeze(1)
            self._sums, parents, tokens = self._sums[rows], parents[rows], tokens[rows]
            self.running = self.running[rows]
        if self._coverage is not None:
            self._coverage = self._coverage[rows[:, None], parents]
        self.previous = tokens.flatten()
        return (rows[:, None] * settings.beam_size + parents).flatten()

    def _stop(self, over: Tensor, scores: Tensor) -> None:
        """Keep what is live of the sentences `over` the limit, as unfinished."""
        slots = torch.arange(scores.shape[1], device=scores.device).expand_as(scores)
        rows = over.nonzero().squeeze(1)
        self._stopped.add(
            self.running[rows], scores[rows], self._sums[rows], self._length, slots[rows]
        )
