"""Memory: the tensors of a source batch that a decoder reads at every step."""

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Memory"]


@dataclass(frozen=True)
class Memory:
    """An encoded source batch; dimension 0 of every tensor is the batch.

    For a decoder that attends in several layers, `heads` counts those of all layers in order.
    """

    keys: Tensor  # (batch, heads, source, d)
    values: Tensor  # (batch, heads, source, d)
    places: Tensor  # (batch, source, heads): progress of the source, or (batch, source, 0)
    coverage: Tensor  # (batch, source, 3 x coverage dimension), or (batch, source, 0)
    summary: Tensor  # (batch, units): the sentence as one vector
    mask: Tensor  # (batch, source), true at real tokens
    lengths: Tensor  # (batch,)

    def select(self, index: Tensor) -> "Memory":
        """Return rows `index`, in any number and order, also repeated."""
        return Memory(*(getattr(self, name)[index] for name in self.__dataclass_fields__))
