"""Layers with weights in eight bits, for a CPU with fast integer products (VNNI, AMX)."""

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from longspan.inference.compression.products import EightBits, Product, product_of
from longspan.training.model.recurrence import Recurrence

__all__ = [
    "Int8Linear",
    "Int8Recurrence",
    "RecurrentStep",
    "doubled_candidate",
    "has_fast_int8",
    "in_eight_bits",
    "is_large",
    "lstm",
    "tanh",
]

# Layers of fewer outputs take no time; some of them need all of their precision.
_SMALLEST_LAYER = 64
_CPU_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})


def has_fast_int8(flags: frozenset[str]) -> bool:
    """Return whether a CPU with these feature flags multiplies eight-bit integers fast."""
    return bool(_CPU_FLAGS & flags)


class Int8Linear(nn.Module):
    """An `nn.Linear` in eight bits, without gradient.

    With `bounded`, inputs lie between -1 and 1.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, bounded: bool = False) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.product: Product = product_of(EightBits.of(weight, bias, bounded=bounded))

    @classmethod
    def of(cls, linear: nn.Linear, *, bounded: bool = False) -> "Int8Linear":
        """Build the layer from a trained one."""
        return cls(linear.weight, linear.bias, bounded=bounded)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        out = self.product(x.reshape(-1, self.in_features))
        return out.view(*x.shape[:-1], self.out_features)


def is_large(linear: nn.Linear) -> bool:
    """Return whether a layer has enough outputs to gain from eight bits."""
    return linear.out_features >= _SMALLEST_LAYER


ModuleT = TypeVar("ModuleT", bound=nn.Module)


def in_eight_bits(
    module: ModuleT,
    replacements: Mapping[nn.Module, nn.Module] | None = None,
    bounded: frozenset[str] = frozenset(),
) -> ModuleT:
    """Return a copy of `module` in evaluation mode with `Int8Linear` for its large linear layers.

    `replacements` stand for some of the modules within. Inputs of the linear layers called
    `bounded` lie between -1 and 1. The copy shares all other weights with `module`, which stays as
    it is.
    """
    # `deepcopy` asks `memo` by the identity of each object, and takes what is there in place of a
    # copy. So parts can be replaced or shared without touching the original.
    memo: dict[int, Any] = {
        id(weight): nn.Parameter(weight.detach(), requires_grad=False)
        for weight in module.parameters()
    }
    memo |= {id(old): new for old, new in (replacements or {}).items()}
    _add_linear_layers(module, memo, bounded)
    return copy.deepcopy(module, memo).eval()


def _add_linear_layers(module: nn.Module, memo: dict[int, Any], bounded: frozenset[str]) -> None:
    for name, child in module.named_children():
        if id(child) in memo:
            continue
        if type(child) is nn.Linear and is_large(child):
            memo[id(child)] = Int8Linear.of(child, bounded=name in bounded)
        else:
            _add_linear_layers(child, memo, bounded)


def tanh(x: Tensor) -> Tensor:
    """Overwrite x with tanh(x) = 2 sigmoid(2x) - 1, which takes a quarter of the time on a CPU."""
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


def doubled_candidate(weight: Tensor) -> Tensor:
    """Return an LSTM's weights or biases (4 x units, ...), those of the candidate times 2.

    `lstm` expects its gates to be made with such weights.
    """
    weight = weight.detach().clone()
    units = len(weight) // 4
    weight[2 * units : 3 * units] *= 2
    return weight


def lstm(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Return the next hidden and cell state (batch, units); `gates` are overwritten.

    gates (batch, 4 x units) are input, forget, candidate and output, before their activations. The
    candidate is doubled, so that one sigmoid serves all four: tanh(x) = 2 sigmoid(2x) - 1.
    """
    first, forget, candidate, last = gates.sigmoid_().chunk(4, dim=1)
    # f c + i tanh(x) with tanh(x) = 2 s - 1 is f c - i + 2 i s.
    cell = (forget * cell).sub_(first).addcmul_(first, candidate, value=2)
    return tanh(cell.clone()).mul_(last), cell


class RecurrentStep(nn.Module):
    """One position of an LSTM or GRU whose input is already multiplied with the input weights.

    The input weights of an LSTM were `doubled_candidate`.
    """

    def __init__(self, weight: Tensor, bias: Tensor, *, has_cell: bool) -> None:
        super().__init__()
        self.has_cell = has_cell
        if has_cell:
            weight, bias = doubled_candidate(weight), doubled_candidate(bias)
        # A recurrent layer's output always lies between -1 and 1.
        self.of_hidden = Int8Linear(weight, bias, bounded=True)

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """gates (batch, gates x units), hidden and cell (batch, units) -> next hidden and cell."""
        recurrent = self.of_hidden(hidden)
        if self.has_cell:
            return lstm(recurrent.add_(gates), cell)
        return self._gru(gates, recurrent, hidden), cell

    def _gru(self, gates: Tensor, recurrent: Tensor, hidden: Tensor) -> Tensor:
        reset, update, new = gates.chunk(3, dim=1)
        reset_too, update_too, new_too = recurrent.chunk(3, dim=1)
        # As in torch and cuDNN, the reset gate comes after the product with the state, bias
        # included.
        opened = (reset + reset_too).sigmoid_()
        candidate = torch.addcmul(new, opened, new_too).tanh_()
        # (1 - update) candidate + update hidden
        return torch.lerp(candidate, hidden, (update + update_too).sigmoid_())


class Int8Recurrence(nn.Module):
    """A decoder's `Recurrence` in eight bits, for one position at a time.

    With `has_gates` its input is already multiplied with the input weights, their bias included.
    """

    def __init__(self, recurrence: Recurrence, *, has_gates: bool = False) -> None:
        super().__init__()
        weights: list[Tensor] = list(recurrence.kernel.all_weights[0])
        weight, recurrent, bias, recurrent_bias = weights
        if recurrence.has_cell:
            weight, bias = doubled_candidate(weight), doubled_candidate(bias)
        self.of_input = None if has_gates else Int8Linear(weight, bias)
        self.take = RecurrentStep(recurrent, recurrent_bias, has_cell=recurrence.has_cell)

    def forward(
        self, inputs: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Compute a position: inputs (batch, 1, input size), hidden and cell (batch, units)."""
        given = inputs[:, 0]
        gates = given if self.of_input is None else self.of_input(given)
        hidden, cell = self.take(gates, hidden, cell)
        return hidden[:, None], hidden, cell
