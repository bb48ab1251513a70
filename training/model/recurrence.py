"""Recurrent layers: one fused layer over time, for padded batches in either direction.

LSTM: Hochreiter and Schmidhuber 1997; GRU: Cho et al. 2014. Batches are padded, not packed,
because the fused kernel of the CPU takes no packed sequences. For the backward direction each
sentence is reversed within its own length, which gives the same result.
"""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Recurrence", "reverse_by_length"]


class Recurrence(nn.Module):
    """One recurrent layer in one direction. The cell state of a GRU is an empty tensor."""

    def __init__(self, cell_type: str, input_size: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.has_cell = cell_type == "lstm"
        kernel = nn.LSTM if self.has_cell else nn.GRU
        self.kernel = kernel(input_size, units, batch_first=True)

    def forward(
        self, inputs: Tensor, hidden: Tensor | None = None, cell: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """inputs (batch, time, input size); hidden and cell (batch, units), zeros if None.

        Returns outputs (batch, time, units) and the last hidden and cell state.
        """
        batch = inputs.shape[0]
        if hidden is None:
            hidden = inputs.new_zeros(batch, self.units)
        if cell is None:
            cell = inputs.new_zeros(batch, self.units if self.has_cell else 0)
        if inputs.shape[1] == 1:
            return self._step(inputs, hidden, cell)
        # The kernel takes states as (layers, batch, units), here with one layer.
        first = hidden.to(inputs.dtype)[None].contiguous()
        if not self.has_cell:
            outputs, last = self.kernel(inputs, first)
            return outputs, last[0], cell
        first_cell = cell.to(inputs.dtype)[None].contiguous()
        outputs, (last, last_cell) = self.kernel(inputs, (first, first_cell))
        return outputs, last[0], last_cell[0]

    def _step(self, inputs: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run one position without the fused kernel, which reorders its weights at every call."""
        x, h, c = inputs[:, 0], hidden.to(inputs.dtype), cell.to(inputs.dtype)
        weights = self.kernel.all_weights[0]
        if self.has_cell:
            h, c = torch.lstm_cell(x, (h, c), *weights)
        else:
            h = torch.gru_cell(x, h, *weights)
        return h[:, None], h, c


def reverse_by_length(inputs: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the first `lengths` positions of each row of inputs (batch, time, features).

    Padding stays in place. Reversing twice gives the input again.
    """
    time = torch.arange(inputs.shape[1], device=inputs.device)[None]
    # (batch, time): position t of a row comes from length - 1 - t; padding from itself
    index = torch.where(time < lengths[:, None], lengths[:, None] - 1 - time, time)
    # First position of each row in the flat (batch x time) order.
    rows = torch.arange(inputs.shape[0], device=inputs.device)[:, None] * inputs.shape[1]
    return _SelfInversePermutation.apply(inputs, (index + rows).flatten())  # type: ignore[no-untyped-call]


class _SelfInversePermutation(torch.autograd.Function):
    """A permutation of (batch, time) positions that is its own inverse.

    Its gradient is therefore the same permutation, and needs no slow scatter.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        return inputs.flatten(0, 1).index_select(0, index).view_as(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        (index,) = ctx.saved_tensors
        return gradient.flatten(0, 1).index_select(0, index).view_as(gradient), None
