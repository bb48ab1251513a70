"""Given targets: a search whose outputs are known, to read their probability and attention.

It takes the place of `Beams`: at each step it forbids every token but the next one of the target.
So a target is scored by the same steps that a search would take, with the kernels too.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from longspan.inference.search.arrays import Floats, Integers
from longspan.inference.search.beams import read_attention
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.penalties import coverage_penalty, length_penalty
from longspan.inference.search.settings import SearchSettings
from longspan.inference.search.spelling import Bars
from longspan.training.errors import LongspanError
from longspan.training.tokenizer.tokenizer import BOS, EOS

__all__ = ["GivenTargets"]


class GivenTargets:
    """The targets of one search, each of token ids without EOS.

    `limits` (sentence,) are the most steps of each output. A target is scored to its EOS, also
    where it is longer than a search would go.
    """

    def __init__(
        self, targets: Sequence[Sequence[int]], lengths: Sequence[int], settings: SearchSettings
    ) -> None:
        self.settings = settings
        self.lengths = lengths
        self._ids = [list(ids) for ids in targets]
        longest = max(len(ids) for ids in targets) + 1
        # (sentence, longest): each target with EOS; EOS after that is never read
        self._tokens: Integers = np.full((len(targets), longest), EOS)
        for row, ids in enumerate(targets):
            self._tokens[row, : len(ids)] = ids
        self.limits: Integers = np.array([len(ids) + 1 for ids in targets])
        self.running: Integers = np.arange(len(targets))  # sentence numbers
        self.previous: Integers = np.full(len(targets), BOS)
        self._length = 0
        self._chances: list[list[float]] = [[] for _ in targets]
        self._attention: list[list[Tensor]] = [[] for _ in targets]  # (source,) a step

    @property
    def wanted(self) -> tuple[int, Bars]:
        """One token of each row, and all others forbidden."""
        chosen = self._tokens[self.running, self._length]
        rows = np.arange(len(chosen))
        table: Floats = np.full((len(rows), int(chosen.max()) + 2), -np.inf, np.float32)
        table[rows, chosen] = 0.0
        return 1, Bars(table, rows)

    def advance(
        self, chances: Floats, tokens: Integers, weights: Tensor | None
    ) -> tuple[Integers | None, list[int]]:
        """Add one step; see `Beams.advance`. Rows are None if all go on in their order."""
        attention = read_attention(weights, self.settings, 1, is_first=self._length == 0)
        self._length += 1
        for place, sentence in enumerate(self.running.tolist()):
            chance = float(chances[place, 0])
            if chance != chance:  # NaN
                raise LongspanError(
                    f"the model's output at target token {self._length} is not a number (NaN): its "
                    "weights are broken or overflow; train it again or use precision=fp32"
                )
            self._chances[sentence].append(chance)
            if attention is not None:
                self._attention[sentence].append(attention[place, 0])
        done = self._length >= self.limits[self.running]
        self.previous = tokens[:, 0]
        if not done.any():
            return None, []
        ended: list[int] = self.running[done].tolist()
        rows = np.flatnonzero(~done)
        self.running, self.previous = self.running[rows], self.previous[rows]
        return rows, ended

    def hypotheses(self, sentences: Sequence[int]) -> list[list[Hypothesis]]:
        """Return a list with the one hypothesis of each of these ended `sentences`."""
        return [[self._hypothesis(sentence)] for sentence in sentences]

    def so_far(self, sentence: int) -> list[int]:
        """Return the tokens of a running sentence until now."""
        return self._ids[sentence][: self._length]

    def _hypothesis(self, sentence: int) -> Hypothesis:
        chances, ids = self._chances[sentence], self._ids[sentence]
        length, total = len(chances), sum(chances)
        score = total / length_penalty(float(length), self.settings.length_penalty)
        weights = None
        if self._attention[sentence]:
            weights = torch.stack(self._attention[sentence])[:, : self.lengths[sentence]]
            covered = weights.sum(0)
            if beta := self.settings.coverage_penalty:
                score += float(coverage_penalty(covered, torch.ones_like(covered).bool(), beta))
        return Hypothesis(
            ids=ids,
            score=score,
            log_probability=total,
            finished=length > len(ids),
            alignment=self._alignment(weights, len(ids)),
            token_log_probabilities=tuple(chances),
        )

    def _alignment(self, weights: Tensor | None, length: int) -> NDArray[np.float32] | None:
        if weights is None or not self.settings.with_alignment:
            return None
        matrix: NDArray[np.float32] = weights[:length].float().cpu().numpy()  # without EOS's row
        return matrix
