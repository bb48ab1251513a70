"""Repeats: tokens that would complete an n-gram which a hypothesis already contains.

A decoder that has lost its place falls into a loop (see `loops`). Forbidding repeated n-grams
forces the decoder out of the loop (Paulus et al. 2018, https://arxiv.org/abs/1705.04304, section
2.5).
"""

import numpy as np
from numpy.typing import NDArray

from longspan.inference.search.arrays import Floats, Integers

__all__ = ["Repeats"]

_NONE: Integers = np.zeros(0, np.int64)
# A row and a token in one number, so that `np.unique` can drop double pairs: row << 32 | token.
_ROW = 32
_TOKEN = (1 << _ROW) - 1


class Repeats:
    """The tokens of live hypotheses, and the forbidden next tokens of each."""

    def __init__(self, rows: int, size: int) -> None:
        """`size` is n; 0 forbids nothing and takes no time."""
        self._size = size
        self._ids: Integers = np.zeros((rows, 0), np.int64)  # (rows, tokens so far)
        self._rows, self._tokens = _NONE, _NONE  # forbidden tokens, and their rows
        self.most = 0  # the most forbidden tokens of one row

    def grow(self, rows: Integers, tokens: Integers) -> None:
        """Go on from these rows of the last step, each with one more token."""
        if not self._size:
            return
        self._ids = np.concatenate([self._ids[rows], tokens[:, None]], axis=1)
        self._rows, self._tokens = _endings(self._ids, self._size)
        self.most = int(np.bincount(self._rows).max(initial=0))

    def bar(self, chances: Floats, tokens: Integers) -> Floats:
        """Return the log-probabilities of `tokens`, with -inf for forbidden tokens.

        Both are (rows, candidates). A row in which every candidate is forbidden stays as it is.
        """
        if not self.most:
            return chances
        barred: NDArray[np.bool_] = np.zeros(chances.shape, bool)
        for row, token in zip(self._rows, self._tokens, strict=True):
            barred[row] |= tokens[row] == token
        is_left = ((chances > -np.inf) & ~barred).any(axis=1, keepdims=True)
        return np.where(barred & is_left, np.float32(-np.inf), chances)


def _endings(ids: Integers, size: int) -> tuple[Integers, Integers]:
    """Return the rows and tokens that would repeat an n-gram of `size`, each pair once.

    These tokens followed an earlier occurrence of the last `size` - 1 tokens of the row.
    """
    prefix = size - 1
    places = ids.shape[1] - prefix  # where an n-gram of the row may start
    if places < 1:
        return _NONE, _NONE
    alike: NDArray[np.bool_] = np.ones((len(ids), places), bool)
    for k in range(prefix):
        alike &= ids[:, k : k + places] == ids[:, places + k, None]
    rows, starts = alike.nonzero()
    each = np.unique(rows << _ROW | ids[rows, starts + prefix])
    return each >> _ROW, each & _TOKEN
