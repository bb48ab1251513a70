"""Ended hypotheses, and the history of back-pointers that they are rebuilt from.

Copying each hypothesis's tokens and attention at every step would take quadratic time on long
text. So a search records one row of tokens and parents a step, and follows the parents once, from
the end to the start:

    step              0      1      2      3
    slot 0   token    The    cat    sat    down
             parent   0      0      0      1
    slot 1   token    A      dog    ran    off
             parent   0      0      1      1

"down" has parent 1, "ran", whose parent 1 is "dog", whose parent 0 is "The": The dog ran down.
A `Finish` says where a hypothesis ends; `History.rebuild` follows it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from longspan.inference.search.arrays import Doubles, Integers
from longspan.inference.search.hypothesis import Hypothesis

__all__ = ["EndedHypotheses", "Finish", "History", "Hypothesis"]

_ValuesT = TypeVar("_ValuesT", Doubles, Integers)


@dataclass(frozen=True)
class Finish:
    """The end of a hypothesis: in place `slot` of its sentence's beam, after `length` steps."""

    sentence: int
    slot: int
    length: int
    score: float
    log_probability: float
    finished: bool
    looping: bool = False


class EndedHypotheses:
    """The best `size` ended hypotheses of each sentence, best first; -inf marks a free place."""

    def __init__(self, sentences: int, size: int, *, finished: bool) -> None:
        self.finished = finished
        self.score: Doubles = np.full((sentences, size), -np.inf)  # (sentence, place)
        self._log_probability = self.score.copy()
        self._length = np.zeros((sentences, size), dtype=np.int64)
        self._slot = np.zeros_like(self._length)
        self.looping = np.zeros(sentences, np.bool_)  # why the sentence was stopped

    def add(
        self, rows: Integers, score: Doubles, log_probability: Doubles, length: int, slot: Integers
    ) -> None:
        """Offer hypotheses of `length` steps to the sentences `rows`; the best ones stay.

        `score`, `log_probability` and `slot` are (rows, candidates). Candidates of score -inf are
        left out.
        """
        offered = (score > -np.inf).any(axis=1)
        if not offered.any():
            return
        rows, score, slot = rows[offered], score[offered], slot[offered]
        merged = np.concatenate([self.score[rows], score], axis=1)
        order = (-merged).argsort(axis=1, kind="stable")[:, : self.score.shape[1]]
        self.score[rows] = merged[np.arange(len(merged))[:, None], order]
        lengths = np.full_like(slot, length)
        self._length[rows] = _merged(self._length[rows], lengths, order)
        self._slot[rows] = _merged(self._slot[rows], slot, order)
        sums = log_probability[offered]
        self._log_probability[rows] = _merged(self._log_probability[rows], sums, order)

    def finishes(self, sentences: Sequence[int]) -> list[list[Finish]]:
        """Return the ends of the hypotheses of each of the `sentences`, best first."""
        columns = [
            column[list(sentences)].tolist()
            for column in (self._slot, self._length, self.score, self._log_probability)
        ]
        looping = self.looping.tolist()
        return [
            [
                Finish(i, slot, length, score, total, self.finished, looping[i])
                for slot, length, score, total in zip(*places, strict=True)
                if score > -np.inf
            ]
            for i, places in zip(sentences, zip(*columns, strict=True), strict=True)
        ]


def _merged(before: _ValuesT, offered: _ValuesT, order: Integers) -> _ValuesT:
    both = np.concatenate([before, offered], axis=1)
    merged: _ValuesT = both[np.arange(len(both))[:, None], order]
    return merged


@dataclass
class History:
    """Tokens, back-pointers and attention of each step of one search.

    A step has rows for the sentences that are still running; the other rows are 0.
    """

    sentences: int
    tokens: list[Integers] = field(default_factory=list)  # (sentence, beam) a step
    parents: list[Integers] = field(default_factory=list)  # (sentence, beam): row before the step
    places: list[Integers] = field(default_factory=list)  # (sentence,): its row in the attention
    attention: list[Tensor] = field(default_factory=list)  # (running, beam, source)

    def record(
        self, running: Integers, tokens: Integers, parents: Integers, attention: Tensor | None
    ) -> None:
        """Add a step. `running` are sentence numbers; the other arrays have a row for each."""
        self.tokens.append(self._spread(running, tokens))
        self.parents.append(self._spread(running, parents))
        if attention is not None:
            self.places.append(self._spread(running, np.arange(len(running))))
            self.attention.append(attention)

    def rebuild(self, finishes: list[Finish], source_lengths: Sequence[int]) -> list[Hypothesis]:
        """Return the hypothesis of each end. Alignments are cropped to `source_lengths`."""
        if not finishes:
            return []
        ids, slots = self._walk(finishes)
        places = [place.tolist() for place in self.places]
        return [
            Hypothesis(
                ids=ids[i, : end.length].tolist(),
                score=end.score,
                log_probability=end.log_probability,
                finished=end.finished,
                looping=end.looping,
                alignment=self._alignment(
                    end, slots[i].tolist(), places, source_lengths[end.sentence]
                ),
            )
            for i, end in enumerate(finishes)
        ]

    def tokens_of(self, finish: Finish) -> list[int]:
        """Return the tokens of one hypothesis."""
        ids, _ = self._walk([finish])
        tokens: list[int] = ids[0].tolist()
        return tokens

    def _spread(self, running: Integers, values: Integers) -> Integers:
        if len(running) == self.sentences:
            return values
        full = np.zeros((self.sentences, *values.shape[1:]), dtype=values.dtype)
        full[running] = values
        return full

    def _walk(self, finishes: list[Finish]) -> tuple[Integers, Integers]:
        """Return the tokens, and the slot before each step: both (hypothesis, step)."""
        steps = max(end.length for end in finishes)
        ids = np.zeros((len(finishes), steps), dtype=np.int64)
        slots = np.zeros_like(ids)
        if not steps:
            return ids, slots
        lengths = np.array([end.length for end in finishes])
        sentence = np.array([end.sentence for end in finishes])
        slot = np.array([end.slot for end in finishes])
        for step in reversed(range(steps)):
            on = np.flatnonzero(step < lengths)
            ids[on, step] = self.tokens[step][sentence[on], slot[on]]
            slot[on] = self.parents[step][sentence[on], slot[on]]
            slots[on, step] = slot[on]
        return ids, slots

    def _alignment(
        self, end: Finish, slots: list[int], places: list[list[int]], source_length: int
    ) -> NDArray[np.float32] | None:
        if not self.attention:
            return None
        if not end.length:
            return np.zeros((0, source_length), dtype=np.float32)
        rows = [
            self.attention[step][places[step][end.sentence], slots[step], :source_length]
            for step in range(end.length)
        ]
        matrix: NDArray[np.float32] = torch.stack(rows).float().cpu().numpy()  # (target, source)
        return matrix
