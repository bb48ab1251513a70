"""Reading: how far each hypothesis has read its source, so that none ends in the middle of it.

A model that was trained on sentences gives the end token a high probability after each sentence of
a document. Coverage and length penalties only choose among hypotheses that the beam has, and all
of them may have ended. So the search forbids the end while much of the source is unread:

    source      |-- s1 --|-- s2 --|-- s3 --|-- s4 --|
    attention                ^ mean place    ^ furthest mean place so far
                                             |-----| more than `most` tokens: no end

The furthest place counts, because a translation may end with a word from the middle of its last
sentence. The rule holds for the first half of the length that an output may have: a model whose
attention never comes to the end would go on for ever otherwise.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from longspan.inference.search.arrays import Floats, Integers
from longspan.training.errors import HyperparameterError

__all__ = ["Reading"]


class Reading:
    """The furthest place in the source that each live hypothesis has read."""

    def __init__(self, lengths: Integers, limits: Integers, most: int | None) -> None:
        """Begin with one row a sentence: source `lengths` and output `limits` (sentence,).

        `most` is how many source tokens may be unread at the end; None forbids no end and takes no
        time, as for sources that are not longer.
        """
        self._most = most
        self._wanted: Integers = lengths - 1 - (most or 0)  # (rows,): the place to be reached
        self._until: Integers = limits // 2
        self._furthest: Floats = np.zeros(len(lengths), np.float32)
        self._is_on = most is not None and bool((self._wanted > 0).any())

    def may_end(self, length: int) -> NDArray[np.bool_] | bool:
        """Return whether each row may end after `length` tokens: (rows,), or one for all rows."""
        if not self._is_on:
            return True
        return (self._furthest >= self._wanted) | (length >= self._until)

    def read(self, weights: Tensor | None) -> None:
        """Add the attention of a step, (rows, heads, source).

        Raises HyperparameterError for a model without attention.
        """
        if not self._is_on:
            return
        if weights is None or not bool(weights.any()):
            raise HyperparameterError(
                f"max_unread={self._most}: expected a model with attention, got one without; leave "
                "max_unread out"
            )
        places = torch.arange(weights.shape[2], dtype=weights.dtype, device=weights.device)
        mean = (weights @ places).mean(1).float().cpu().numpy()
        self._furthest = np.maximum(self._furthest, mean)

    def grow(self, rows: Integers, tokens: Integers) -> None:
        """Go on from these rows of the last step."""
        if self._is_on:
            self._furthest = self._furthest[rows]
            self._wanted, self._until = self._wanted[rows], self._until[rows]
