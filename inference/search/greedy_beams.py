"""Greedy search's hypotheses of a batch, one a sentence.

The result is that of `Beams` with beam 1, in a fraction of the time. A hypothesis ends where the
end token is the best one, because no continuation can score more from there.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from longspan.inference.search.arrays import Floats, Integers
from longspan.inference.search.beams import read_attention
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.loops import Loops
from longspan.inference.search.penalties import coverage_penalty, length_penalty
from longspan.inference.search.reading import Reading
from longspan.inference.search.repeats import Repeats
from longspan.inference.search.settings import SearchSettings
from longspan.inference.search.spelling import Bars, Characters, Spelling
from longspan.training.errors import LongspanError
from longspan.training.tokenizer.tokenizer import BOS, EOS

__all__ = ["GreedyBeams"]


class GreedyBeams:
    """The hypotheses of one search. `limits` (sentence,) are the most tokens of each output."""

    def __init__(
        self, source: Integers, lengths: Sequence[int], settings: SearchSettings, spelling: Spelling
    ) -> None:
        self.settings = settings
        self.lengths = lengths
        self.limits: Integers = np.array(settings.limits(lengths), dtype=np.int64)
        self.running = list(range(len(lengths)))  # sentence numbers
        self.previous: Integers = np.full(len(lengths), BOS)
        self._ids: list[list[int]] = [[] for _ in lengths]
        self._sums = [0.0] * len(lengths)
        self._scores = [0.0] * len(lengths)
        self._finished = [False] * len(lengths)
        self._looping = [False] * len(lengths)
        self._coverage: Tensor | None = None  # (running, 1, source)
        self._attention: list[list[Tensor]] = [[] for _ in lengths]  # (source,) a step
        self._length = 0
        self._repeats = Repeats(len(lengths), settings.no_repeat_ngram_size)
        self._characters = Characters(len(lengths), spelling)
        self._loops = Loops(source, np.array(lengths))
        self._reading = Reading(np.array(lengths), self.limits, settings.max_unread)

    @property
    def wanted(self) -> tuple[int, Bars]:
        """Number of best tokens that the next step needs of each row, and the forbidden tokens."""
        left = self.limits[self.running] - self._length
        may_end = self._length >= self.settings.min_length and self._reading.may_end(self._length)
        return 1 + self._repeats.most, self._characters.bars(left, may_end=may_end)

    def advance(
        self, chances: Floats, tokens: Integers, weights: Tensor | None
    ) -> tuple[Integers | None, list[int]]:
        """Add one step; see `Beams.advance`. Rows are None if all go on in their order."""
        attention = read_attention(weights, self.settings, 1, is_first=self._length == 0)
        self._reading.read(weights)
        best, chosen = self._choose(chances, tokens)
        self._length += 1
        self._watch(attention)
        looping = self._in_loops(chosen)
        ended, left = [], []
        for place, (token, chance) in enumerate(zip(chosen.tolist(), best.tolist(), strict=True)):
            sentence = self.running[place]
            if chance != chance:  # NaN
                raise LongspanError(
                    f"the model's output at target token {self._length} is not a number (NaN): its "
                    "weights are broken or overflow; train it again or use precision=fp32"
                )
            self._sums[sentence] += chance
            if token != EOS:
                self._ids[sentence].append(token)
            if token == EOS or place in looping or self._length >= self.limits[sentence]:
                self._finished[sentence] = token == EOS
                self._looping[sentence] = token != EOS and place in looping
                self._scores[sentence] = self._score(sentence, place)
                ended.append(sentence)
            else:
                left.append(place)
        return self._leave(chosen, ended, left), ended

    def hypotheses(self, sentences: Sequence[int]) -> list[list[Hypothesis]]:
        """Return a list with the one hypothesis of each of these ended `sentences`."""
        return [
            [
                Hypothesis(
                    ids=self._ids[sentence],
                    score=self._scores[sentence],
                    log_probability=self._sums[sentence],
                    finished=self._finished[sentence],
                    alignment=self._alignment(sentence, self.lengths[sentence]),
                    looping=self._looping[sentence],
                )
            ]
            for sentence in sentences
        ]

    def so_far(self, sentence: int) -> list[int]:
        """Return the tokens of a running sentence until now."""
        return list(self._ids[sentence])

    def _choose(self, chances: Floats, tokens: Integers) -> tuple[Floats, Integers]:
        """Return the log-probability and the best allowed token of each row: both (rows,)."""
        if chances.shape[1] == 1:
            return chances[:, 0], tokens[:, 0]
        chances = self._repeats.bar(chances, tokens)
        each, best = np.arange(len(chances)), chances.argmax(axis=1)
        return chances[each, best], tokens[each, best]

    def _in_loops(self, chosen: Integers) -> set[int]:
        """Return the places whose hypothesis, with `chosen` added, is in a loop.

        A hypothesis within a character does not count, because its bytes would not be UTF-8.
        """
        if not self._loops.are_due or self._length <= self.settings.min_length:
            return set()
        places = np.arange(len(chosen))
        found = self._loops.found(places, chosen, np.array(self.running))
        return set(np.flatnonzero(found & self._characters.whole(places, chosen)).tolist())

    def _watch(self, attention: Tensor | None) -> None:
        if attention is None:
            return
        if self.settings.coverage_penalty > 0:
            self._coverage = attention if self._coverage is None else self._coverage + attention
        if self.settings.with_alignment:
            for place, sentence in enumerate(self.running):
                self._attention[sentence].append(attention[place, 0])

    def _score(self, sentence: int, place: int) -> float:
        score = self._sums[sentence] / length_penalty(
            float(self._length), self.settings.length_penalty
        )
        if self._coverage is None:
            return score
        beta = self.settings.coverage_penalty
        covered = self._coverage[place, 0, : self.lengths[sentence]]
        return score + float(coverage_penalty(covered, torch.ones_like(covered).bool(), beta))

    def _leave(self, tokens: Integers, ended: list[int], left: list[int]) -> Integers | None:
        """Drop the `ended` sentences; return the rows to go on with, or None for all of them."""
        rows = np.array(left, dtype=np.int64)
        self.previous = tokens[rows]
        for watcher in (self._repeats, self._characters, self._loops, self._reading):
            watcher.grow(rows, self.previous)
        if not ended:
            return None
        self.running = [self.running[place] for place in left]
        if self._coverage is not None:
            self._coverage = self._coverage[torch.from_numpy(rows)]
        return rows

    def _alignment(self, sentence: int, source_length: int) -> NDArray[np.float32] | None:
        if not self.settings.with_alignment or not (steps := self._attention[sentence]):
            return None
        rows = steps[: len(self._ids[sentence])]
        if not rows:
            return np.zeros((0, source_length), dtype=np.float32)
        matrix: NDArray[np.float32] = torch.stack(rows)[:, :source_length].float().cpu().numpy()
        return matrix
