"""Memory: what a decoder reads of a source batch, computed once a sentence."""

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Memory"]


@dataclass(frozen=True)
class Memory:
    """Dimension 0 of every tensor is the batch. A decoder that attends in several layers has the
    heads of all of them, layer after layer."""

    keys: Tensor  # (batch, heads, source, d)
    values: Tensor  # (batch, heads, source, d)
    places: Tensor  # (batch, source, heads): progress of the source, or (batch, source, 0)
    coverage: Tensor  # (batch, source, 3 x coverage dimension), or (batch, source, 0)
    summary: Tensor  # (batch, units): the sentence as one vector
    mask: Tensor  # (batch, source), true at real tokens
    lengths: Tensor  # (batch,)

    def select(self, index: Tensor) -> "Memory":
        """Rows `index` (any number, in any order, repeated at will)."""
        return Memory(*(getattr(self, name)[index] for name in self.__dataclass_fields__))
