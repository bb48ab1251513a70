"""The recurrent encoder for short batches: both directions go together, in eight bits."""

from typing import Any

import torch
from torch import Tensor, nn

from longspan.inference.int8 import Int8Linear, RecurrentStep
from longspan.training.recurrence import Recurrence, reverse_by_length

__all__ = ["FastEncoder"]


class FastEncoder(nn.Module):
    """Stands for an `Encoder` in evaluation mode, on a CPU.

    What the input weights make of a sentence is one product for all of its positions, and of the
    first layer for both directions; what is left for each position is the product with the state.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.first = _Layer((encoder.forwards, encoder.backwards))
        self.upper = nn.ModuleList(_Layer((layer,)) for layer in encoder.upper)
        self.first_residual = encoder.first_residual

    def forward(self, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """As `Encoder.forward`: (batch, source, units) and last (batch, units)."""
        places = torch.arange(len(lengths)), lengths - 1
        ahead, back = self.first(embedded, lengths)
        last = torch.cat([ahead[places], back[:, 0]], dim=-1)
        encoded = torch.cat([ahead, back], dim=-1)
        for number, layer in enumerate(self.upper, start=2):
            (outputs,) = layer(encoded, lengths)
            encoded = outputs + encoded if number >= self.first_residual else outputs
            last = encoded[places]
        return encoded, last


class _Layer(nn.Module):
    """One layer, forwards alone or forwards and backwards in step."""

    def __init__(self, directions: tuple[Recurrence, ...]) -> None:
        super().__init__()
        weights = [direction.kernel.all_weights[0] for direction in directions]
        self.gates = Int8Linear(
            torch.cat([weight[0] for weight in weights]), torch.cat([w[2] for w in weights])
        )
        self.steps = [RecurrentStep(direction) for direction in directions]

    def forward(self, inputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """inputs (batch, time, size) -> for each direction (batch, time, units)."""
        gates = self.gates(inputs).chunk(len(self.steps), dim=-1)
        outputs = [_run(self.steps[0], gates[0])]
        if len(self.steps) > 1:
            back = _run(self.steps[1], reverse_by_length(gates[1], lengths))
            outputs.append(reverse_by_length(back, lengths))
        return outputs


def _run(step: RecurrentStep, gates: Tensor) -> Tensor:
    """gates (batch, time, gates) -> outputs (batch, time, units)."""
    batch, units = len(gates), step.units
    hidden = gates.new_zeros(batch, units)
    cell = hidden
    outputs = []
    for given in gates.unbind(1):
        hidden, cell = step(given, hidden, cell)
        outputs.append(hidden)
    return torch.stack(outputs, dim=1)
