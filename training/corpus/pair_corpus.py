"""Pairs of token sequences by number: the interface of a corpus, and a corpus in memory."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from longspan.training.errors import DataError

__all__ = ["IntArray", "MemoryCorpus", "PairCorpus"]

IntArray = npt.NDArray[np.integer]


class PairCorpus(Protocol):
    """Pairs of token sequences by number."""

    @property
    def source_lengths(self) -> IntArray:
        """Source tokens of each pair with EOS: (pairs,) int32."""

    @property
    def target_lengths(self) -> IntArray:
        """Target tokens of each pair with EOS: (pairs,) int32."""

    @property
    def documents(self) -> IntArray:
        """Number of each pair's document, -1 if unknown: (pairs,) int64."""

    @property
    def positions(self) -> IntArray:
        """Line of each pair in its document, -1 if unknown: (pairs,) int64."""

    def source(self, index: int) -> IntArray:
        """Source token ids of one pair, the last one EOS: (tokens,) int64."""

    def target(self, index: int) -> IntArray:
        """Target token ids of one pair, the last one EOS: (tokens,) int64."""

    def __len__(self) -> int: ...


class MemoryCorpus:
    """A corpus in memory: lists of token ids that end with EOS."""

    def __init__(
        self,
        sources: Sequence[Sequence[int] | IntArray],
        targets: Sequence[Sequence[int] | IntArray],
        documents: Sequence[int] | IntArray | None = None,
        positions: Sequence[int] | IntArray | None = None,
    ) -> None:
        if len(sources) != len(targets):
            raise DataError(
                f"expected as many targets as sources, got {len(targets)} and {len(sources)}"
            )
        self._sources = [np.asarray(ids, dtype=np.int64) for ids in sources]
        self._targets = [np.asarray(ids, dtype=np.int64) for ids in targets]
        self.source_lengths: IntArray = np.array([len(s) for s in self._sources], dtype=np.int32)
        self.target_lengths: IntArray = np.array([len(t) for t in self._targets], dtype=np.int32)
        self.documents: IntArray = self._column(documents)
        self.positions: IntArray = self._column(positions)

    def __len__(self) -> int:
        return len(self._sources)

    def source(self, index: int) -> IntArray:
        """Source token ids of one pair: (tokens,) int64."""
        return self._sources[index]

    def target(self, index: int) -> IntArray:
        """Target token ids of one pair: (tokens,) int64."""
        return self._targets[index]

    def _column(self, values: Sequence[int] | IntArray | None) -> IntArray:
        if values is None:
            return np.full(len(self), -1, dtype=np.int64)
        column = np.asarray(values, dtype=np.int64)
        if column.shape != (len(self),):
            raise DataError(f"expected a value for each of {len(self)} pairs, got {column.shape}")
        return column
