"""Hypotheses of a search, and the history of back-pointers that they are rebuilt from.

A search over long text cannot carry every hypothesis's tokens and attention along: copying them
at each step is quadratic. It keeps one row of back-pointers per step, and walks them once, at
the end.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from longspan.inference.hypothesis import Hypothesis

__all__ = ["Ending", "History", "Hypothesis", "Pool"]


@dataclass(frozen=True)
class Ending:
    """Where a hypothesis ends: in beam row `slot` of its sentence after `length` steps."""

    sentence: int
    slot: int
    length: int
    score: float
    log_probability: float
    finished: bool


class Pool:
    """The best `size` ended hypotheses of each sentence, best first; -inf marks a free place."""

    def __init__(self, sentences: int, size: int, *, finished: bool, device: torch.device) -> None:
        self.finished = finished
        self.score = torch.full(
            (sentences, size), -torch.inf, dtype=torch.float64, device=device
        )  # (sentence, place)
        self._log_probability = self.score.clone()
        self._length = torch.zeros_like(self.score, dtype=torch.long)
        self._slot = torch.zeros_like(self._length)

    def add(
        self, rows: Tensor, score: Tensor, log_probability: Tensor, length: int, slot: Tensor
    ) -> None:
        """Offer hypotheses of `length` steps to the sentences `rows`; the best ones stay.

        `score`, `log_probability` and `slot` are (rows, candidates); a score of -inf is no offer.
        """
        places = self.score.shape[1]
        merged = torch.cat([self.score[rows], score], dim=1)
        self.score[rows], order = merged.topk(places, dim=1)  # (rows, places)
        lengths = torch.full_like(slot, length)
        for kept, offered in (
            (self._log_probability, log_probability),
            (self._length, lengths),
            (self._slot, slot),
        ):
            kept[rows] = torch.cat([kept[rows], offered], dim=1).gather(1, order)

    def endings(self) -> list[list[Ending]]:
        """Each sentence's hypotheses, best first."""
        columns = (self._slot, self._length, self.score, self._log_probability)
        slots, lengths, scores, sums = (column.tolist() for column in columns)
        return [
            [
                Ending(i, slot, length, score, total, self.finished)
                for slot, length, score, total in zip(*places, strict=True)
                if score > -torch.inf
            ]
            for i, places in enumerate(zip(slots, lengths, scores, sums, strict=True))
        ]


@dataclass
class History:
    """Tokens, back-pointers and attention of each step of one search.

    A step concerns the sentences that are still running; the other rows are left 0.
    """

    sentences: int
    tokens: list[Tensor] = field(default_factory=list)  # (sentence, beam) a step
    parents: list[Tensor] = field(default_factory=list)  # (sentence, beam): row before the step
    places: list[Tensor] = field(default_factory=list)  # (sentence,): its row in the attention
    attention: list[Tensor] = field(default_factory=list)  # (running, beam, source)

    def record(
        self, running: Tensor, tokens: Tensor, parents: Tensor, attention: Tensor | None
    ) -> None:
        """Add a step: `running` are sentence numbers, the rest has a row for each of them."""
        self.tokens.append(self._spread(running, tokens))
        self.parents.append(self._spread(running, parents))
        if attention is not None:
            self.places.append(
                self._spread(running, torch.arange(len(running), device=running.device))
            )
            self.attention.append(attention)

    def rebuild(self, endings: list[Ending], source_lengths: list[int]) -> list[Hypothesis]:
        """The hypotheses that end there; `source_lengths` by sentence crops the alignments."""
        if not endings:
            return []
        ids, slots = self._walk(endings)
        places = torch.stack(self.places).tolist() if self.places else []
        return [
            Hypothesis(
                ids=ids[i, : end.length].tolist(),
                score=end.score,
                log_probability=end.log_probability,
                finished=end.finished,
                alignment=self._alignment(
                    end, slots[i].tolist(), places, source_lengths[end.sentence]
                ),
            )
            for i, end in enumerate(endings)
        ]

    def tokens_of(self, ending: Ending) -> list[int]:
        """The tokens of one hypothesis."""
        ids, _ = self._walk([ending])
        tokens: list[int] = ids[0].tolist()
        return tokens

    def _spread(self, running: Tensor, values: Tensor) -> Tensor:
        full = values.new_zeros(self.sentences, *values.shape[1:])
        full[running] = values
        return full

    def _walk(self, endings: list[Ending]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Tokens, and the beam row that each step read: both (ending, step)."""
        steps = max(end.length for end in endings)
        ids = np.zeros((len(endings), steps), dtype=np.int64)
        slots = np.zeros_like(ids)
        if not steps:
            return ids, slots
        tokens = torch.stack(self.tokens[:steps]).cpu().numpy()  # (step, sentence, beam)
        parents = torch.stack(self.parents[:steps]).cpu().numpy()
        lengths = np.array([end.length for end in endings])
        sentence = np.array([end.sentence for end in endings])
        slot = np.array([end.slot for end in endings])
        for step in reversed(range(steps)):
            on = np.flatnonzero(step < lengths)
            ids[on, step] = tokens[step, sentence[on], slot[on]]
            slot[on] = parents[step, sentence[on], slot[on]]
            slots[on, step] = slot[on]
        return ids, slots

    def _alignment(
        self, end: Ending, slots: list[int], places: list[list[int]], source_length: int
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
