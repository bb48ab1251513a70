"""The recurrent encoder in eight bits, for short batches: both directions run together."""

from typing import Any

import torch
from torch import Tensor, nn

from longspan.inference.compression.int8 import Int8Linear, RecurrentStep, doubled_candidate
from longspan.training.model.recurrence import Recurrence, reverse_by_length

__all__ = ["FastEncoder"]


class FastEncoder(nn.Module):
    """A `RecurrentEncoder` in evaluation mode, on a CPU.

    One product multiplies all positions with the input weights, for both directions of the first
    layer together. Only the product with the state remains for each position.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.first = _Layer((encoder.forwards, encoder.backwards))
        self.upper = nn.ModuleList(_Layer((layer,)) for layer in encoder.upper)
        self.first_residual = encoder.first_residual

    def forward(self, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs (batch, source, units) and last (batch, units), as `RecurrentEncoder`."""
        places = torch.arange(len(lengths)), lengths - 1
        ahead, back = self.first(embedded, lengths)
        # Backwards the whole sentence has been read at its first token.
        last = torch.cat([ahead[places], back[:, 0]], dim=-1)
        encoded = torch.cat([ahead, back], dim=-1)
        for number, layer in enumerate(self.upper, start=2):
            (outputs,) = layer(encoded, lengths)
            encoded = outputs + encoded if number >= self.first_residual else outputs
            last = encoded[places]
        return encoded, last


class _Layer(nn.Module):
    """One layer, forwards or in both directions together, as one layer of all units.

    Its recurrent weights are those of the directions along the diagonal, and 0 elsewhere:

        | forwards     0     |     more numbers to multiply, but half as many operations
        |    0     backwards |
    """

    def __init__(self, directions: tuple[Recurrence, ...]) -> None:
        super().__init__()
        weights = [direction.kernel.all_weights[0] for direction in directions]
        self.directions, self.units = len(directions), directions[0].units
        self.has_cell = directions[0].has_cell
        self.gates = len(weights[0][1]) // self.units

        def both(i: int) -> Tensor:  # (gates, directions, units, ...)
            parts = [weight[i].unflatten(0, (self.gates, -1)) for weight in weights]
            return torch.stack(parts, dim=1)

        inputs, bias = both(0), both(3)
        # (gates, direction, units, direction, units): not 0 where the directions are the same
        diagonal = bias.new_zeros(
            self.gates, self.directions, self.units, self.directions, self.units
        )
        for number, weight in enumerate(weights):
            diagonal[:, number, :, number] = weight[1].unflatten(0, (self.gates, -1))
        # Gates first, then directions: `chunk` cuts the gates of both directions at once.
        of_input, input_bias = inputs.flatten(0, 2), both(2).flatten()
        if self.has_cell:
            of_input, input_bias = doubled_candidate(of_input), doubled_candidate(input_bias)
        self.of_input = Int8Linear(of_input, input_bias)
        self.take = RecurrentStep(
            diagonal.flatten(3).flatten(0, 2), bias.flatten(), has_cell=self.has_cell
        )

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """inputs (batch, time, size) -> for each direction (batch, time, units)."""
        gates = self.of_input(inputs)
        if self.directions > 1:
            # A view, so `gates` changes with it. Backwards inputs are reversed within each
            # sentence: the loop then runs both directions from its position 0, with the padding at
            # the end.
            table = gates.unflatten(2, (self.gates, self.directions, self.units))
            back = reverse_by_length(table[:, :, :, 1].flatten(2), lengths)
            table[:, :, :, 1] = back.unflatten(2, (self.gates, self.units))
        hidden = cell = gates.new_zeros(len(gates), self.directions * self.units)
        outputs = []
        # given (batch, gates x directions x units), hidden (batch, directions x units)
        for given in gates.unbind(1):
            hidden, cell = self.take(given, hidden, cell)
            outputs.append(hidden)
        ahead, *back_too = torch.stack(outputs, dim=1).split(self.units, dim=2)
        return ahead, *(reverse_by_length(one, lengths) for one in back_too)
