"""Repeats: which tokens would end an n-gram that a hypothesis has already.

A decoder that has lost its place falls into a loop, which the model itself finds ever more
probable (Holtzman et al. 2020, https://arxiv.org/abs/1904.09751). A bar on repeated
n-grams (Paulus et al. 2018, https://arxiv.org/abs/1705.04304, section 2.5) forces it out.
"""

import numpy as np
from numpy.typing import NDArray

from longspan.inference.search.arrays import Floats, Integers

__all__ = ["Repeats"]

_NONE: Integers = np.zeros(0, np.int64)
_ROW = 32  # bits of a token, above which a row stands
_TOKEN = (1 << _ROW) - 1


class Repeats:
    """The tokens of live hypotheses, and what each must not say next."""

    def __init__(self, rows: int, size: int) -> None:
        """`size` is n; 0 bars nothing, and costs nothing."""
        self._size = size
        self._ids: Integers = np.zeros((rows, 0), np.int64)  # (rows, tokens so far)
        self._rows, self._tokens = _NONE, _NONE  # a token that is barred, and of which row
        self.most = 0  # tokens that are barred of one row

    def grow(self, rows: Integers, tokens: Integers) -> None:
        """Go on from these rows of the last step, each with a token more."""
        if not self._size:
            return
        self._ids = np.concatenate([self._ids[rows], tokens[:, None]], axis=1)
        self._rows, self._tokens = _endings(self._ids, self._size)
        self.most = int(np.bincount(self._rows).max(initial=0))

    def bar(self, chances: Floats, tokens: Integers) -> Floats:
        """The chances of `tokens`, both (rows, candidates), with -inf at what is barred.

        A row with nothing else to say keeps its own.
        """
        if not self.most:
            return chances
        barred: NDArray[np.bool_] = np.zeros(chances.shape, bool)
        for row, token in zip(self._rows, self._tokens, strict=True):
            barred[row] |= tokens[row] == token
        is_left = ((chances > -np.inf) & ~barred).any(axis=1, keepdims=True)
        return np.where(barred & is_left, np.float32(-np.inf), chances)


def _endings(ids: Integers, size: int) -> tuple[Integers, Integers]:
    """What followed the last `size` - 1 tokens of each row where they stood before: rows and
    tokens, each pair once."""
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
