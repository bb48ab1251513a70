"""Beam search's hypotheses of a batch, live and ended: all of a search but the model.

A step for two sentences, beam 3. Each row of the model's output belongs to a live hypothesis:

    sentence 0   hypothesis a ->  a x   a y   a EOS      (row 0: its best tokens)
                 hypothesis b ->  b x   b z   ...        (row 1)
                 hypothesis c ->  ...                    (row 2)
    sentence 1   ...                                     (rows 3 to 5)

`_candidates` takes the best continuations of each sentence over all of its rows, for example
`b x, a EOS, a y, c z`. `advance` offers `a EOS` to the pool of finished hypotheses and keeps
`b x, a y, c z` live. The parents of these are rows 1, 0 and 2: the model's state follows them, and
`History` records them as back-pointers. Sentences that are done leave the batch with all rows.

These decisions about few numbers are made in NumPy, where an operation on some dozens of numbers
costs a fraction of one in torch.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from longspan.inference.search.arrays import Doubles, Floats, Integers
from longspan.inference.search.history import EndedHypotheses, Finish, History
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.loops import Loops
from longspan.inference.search.penalties import coverage_penalty, length_penalty
from longspan.inference.search.reading import Reading
from longspan.inference.search.repeats import Repeats
from longspan.inference.search.settings import SearchSettings
from longspan.inference.search.spelling import Bars, Characters, Spelling
from longspan.training.errors import HyperparameterError, LongspanError
from longspan.training.tokenizer.tokenizer import BOS, EOS

__all__ = ["Beams", "read_attention"]


class Beams:
    """The hypotheses of one search. `limits` (sentence,) are the most tokens of each output."""

    def __init__(
        self, source: Integers, lengths: Sequence[int], settings: SearchSettings, spelling: Spelling
    ) -> None:
        beam, sentences = settings.beam_size, len(lengths)
        self.settings = settings
        self.lengths = lengths
        self.limits: Integers = np.array(settings.limits(lengths), dtype=np.int64)
        self.running: Integers = np.arange(sentences)  # sentence numbers
        self.previous: Integers = np.full(sentences, BOS)
        # In float64, because the rounding of thousands of float32 additions would show. A sentence
        # starts with one hypothesis and then has as many as are possible, up to the beam's size.
        self._sums: Doubles = np.zeros((sentences, 1))  # (running, live)
        self._coverage: Tensor | None = None  # (running, live, source)
        self._length = 0
        self._finished = EndedHypotheses(sentences, beam, finished=True)
        self._stopped = EndedHypotheses(sentences, beam, finished=False)
        self._history = History(sentences)
        self._repeats = Repeats(sentences, settings.no_repeat_ngram_size)
        self._characters = Characters(sentences, spelling)
        self._loops = Loops(source, np.array(lengths))
        self._reading = Reading(np.array(lengths), self.limits, settings.max_unread)

    @property
    def wanted(self) -> tuple[int, Bars]:
        """Number of best tokens that the next step needs of each row, and the forbidden tokens.

        Of one row, beam + 1 tokens can matter: one for each live hypothesis, and EOS. Tokens that
        would repeat an n-gram come on top, because they are dropped afterwards.
        """
        left = np.repeat(self.limits[self.running] - self._length, self._sums.shape[1])
        may_end = self._length >= self.settings.min_length and self._reading.may_end(self._length)
        count = self.settings.beam_size + 1 + self._repeats.most
        return count, self._characters.bars(left, may_end=may_end)

    def advance(
        self, chances: Floats, tokens: Integers, weights: Tensor | None
    ) -> tuple[Integers, list[int]]:
        """Add one step.

        `chances` are log-probabilities of the best `tokens`, both (running x live, count), best
        first; `weights` is the attention (running x live, heads, source). Returns the rows of this
        step that go on, in the order of the next one, and the numbers of the sentences that ended.
        `running` and `previous` then describe the next step. Raises LongspanError if the model's
        output is not a number.
        """
        beam, live = self.settings.beam_size, self._sums.shape[1]
        attention = read_attention(weights, self.settings, live, is_first=self._length == 0)
        self._reading.read(weights)
        chances = self._repeats.bar(chances, tokens)
        sums, parents, tokens = self._candidates(chances, tokens)  # (running, candidates)
        self._length += 1
        now = length_penalty(float(self._length), self.settings.length_penalty)
        covered = self._cover(attention)
        each = np.arange(len(sums))[:, None]

        is_end = tokens == EOS
        if is_end[:, :beam].any():
            ends = is_end.copy()
            ends[:, beam:] = False  # an EOS beyond the sentence's best `beam` does not count
            scores = sums / now + covered[each, parents]
            scores[~ends] = -np.inf
            self._finished.add(self.running, scores, sums, self._length - 1, parents)

        sums[is_end] = -np.inf
        chosen = (-sums).argsort(axis=1, kind="stable")[:, :beam]
        self._sums, parents, tokens = (
            sums[each, chosen],
            parents[each, chosen],
            tokens[each, chosen],
        )
        with_alignment = self.settings.with_alignment
        self._history.record(self.running, tokens, parents, attention if with_alignment else None)
        return self._leave(parents, tokens, self._sums / now + covered[each, parents])

    def hypotheses(self, sentences: Sequence[int]) -> list[list[Hypothesis]]:
        """Return the `n_best` hypotheses of each of these ended `sentences`, best first."""
        both = zip(
            self._finished.finishes(sentences), self._stopped.finishes(sentences), strict=True
        )
        kept = [(finished + stopped)[: self.settings.n_best] for finished, stopped in both]
        flat = self._history.rebuild([end for ends in kept for end in ends], self.lengths)
        rebuilt = iter(flat)
        return [[next(rebuilt) for _ in ends] for ends in kept]

    def so_far(self, sentence: int) -> list[int]:
        """Return the tokens of the best live hypothesis of a running sentence."""
        end = Finish(sentence, 0, self._length, 0.0, 0.0, False)
        return self._history.tokens_of(end)

    def _candidates(self, chances: Floats, tokens: Integers) -> tuple[Doubles, Integers, Integers]:
        """Return the best continuations of each sentence, best first: sums, parents, tokens.

        All three are (running, 2 x beam) or narrower. Twice the beam is enough: at most `beam` of
        them end with EOS. A parent is the number of a live hypothesis of the same sentence.
        """
        beam, count = self.settings.beam_size, chances.shape[1]
        sums = (self._sums.reshape(-1, 1) + chances).reshape(len(self.running), -1)
        if np.isnan(sums).any():
            raise LongspanError(
                f"the model's output at target token {self._length + 1} is not a number (NaN): its "
                "weights are broken or overflow; train it again or use precision=fp32"
            )
        order = (-sums).argsort(axis=1, kind="stable")[:, : 2 * beam]  # (running, candidates)
        each = np.arange(len(sums))[:, None]
        return sums[each, order], order // count, tokens.reshape(sums.shape)[each, order]

    def _cover(self, attention: Tensor | None) -> Doubles:
        """Add this step's attention; return the coverage penalties (running, live), at most 0."""
        if self.settings.coverage_penalty == 0 or attention is None:
            return np.zeros_like(self._sums)
        self._coverage = attention if self._coverage is None else self._coverage + attention
        lengths = torch.tensor([self.lengths[i] for i in self.running.tolist()])
        real = torch.arange(self._coverage.shape[2]) < lengths[:, None, None]
        penalty = coverage_penalty(
            self._coverage, real.to(attention.device), self.settings.coverage_penalty
        )
        table: Doubles = penalty.double().cpu().numpy()
        return table

    def _leave(
        self, parents: Integers, tokens: Integers, scores: Doubles
    ) -> tuple[Integers, list[int]]:
        """Drop the sentences that are done; return the rows to go on with and those sentences."""
        settings = self.settings
        limits = self.limits[self.running]
        longest = limits.astype(np.float64)
        reachable = self._sums[:, 0] / length_penalty(longest, settings.length_penalty)
        finished = self._finished.score[self.running]  # (running, beam), best first
        full = finished[:, -1] >= scores.max(axis=1)
        over = self._length >= limits
        looping = self._in_loops(parents, tokens)
        done = (finished[:, settings.n_best - 1] >= reachable) | full | over | looping
        if (stopped := over | looping).any():
            self._stopped.looping[self.running] = looping
            self._stop(stopped, scores)
        ended = self.running[done].tolist()
        rows = np.flatnonzero(~done) if ended else np.arange(len(done))
        if ended:
            self._sums, parents, tokens = self._sums[rows], parents[rows], tokens[rows]
            self.running = self.running[rows]
        if self._coverage is not None:
            index = torch.from_numpy(rows[:, None]), torch.from_numpy(parents)
            self._coverage = self._coverage[index]
        # Rows are numbered as before the step, when each sentence had `live` hypotheses.
        live = len(self.previous) // len(done)
        self.previous = tokens.reshape(-1)
        kept = (rows[:, None] * live + parents).reshape(-1)
        for watcher in (self._repeats, self._characters, self._loops, self._reading):
            watcher.grow(kept, self.previous)
        return kept, ended

    def _in_loops(self, parents: Integers, tokens: Integers) -> NDArray[np.bool_]:
        """Return whether each sentence's best live hypothesis is in a loop: (running,).

        A hypothesis within a character does not count, because its bytes would not be UTF-8.
        """
        if not self._loops.are_due or self._length <= self.settings.min_length:
            return np.zeros(len(parents), np.bool_)
        live = len(self.previous) // len(parents)  # before the step
        rows = np.arange(len(parents)) * live + parents[:, 0]
        found = self._loops.found(rows, tokens[:, 0], self.running)
        return found & self._characters.whole(rows, tokens[:, 0])

    def _stop(self, stopped: NDArray[np.bool_], scores: Doubles) -> None:
        """Record the live hypotheses of the `stopped` sentences as unfinished."""
        rows = np.flatnonzero(stopped)
        slots = np.broadcast_to(np.arange(scores.shape[1]), (len(rows), scores.shape[1]))
        sentences = self.running[rows]
        self._stopped.add(sentences, scores[rows], self._sums[rows], self._length, slots)


def read_attention(
    weights: Tensor | None, settings: SearchSettings, beam: int, *, is_first: bool
) -> Tensor | None:
    """Return the attention of a step averaged over heads, or None where nothing needs it.

    weights (running x beam, heads, source) -> (running, beam, source). Raises HyperparameterError
    for a coverage penalty with a model without attention; the first step shows that.
    """
    wanted = settings.coverage_penalty > 0
    if wanted and is_first and (weights is None or not bool(weights.any())):
        raise HyperparameterError(
            f"coverage_penalty={settings.coverage_penalty}: expected a model with attention, got "
            "one without; set coverage_penalty=0"
        )
    if weights is None or not (wanted or settings.with_alignment):
        return None
    return weights.mean(dim=1).unflatten(0, (-1, beam))
