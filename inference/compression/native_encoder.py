"""The recurrent encoder by the kernels in C, without padding."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from longspan.inference.compression.int8 import doubled_candidate
from longspan.inference.compression.products import EightBits, NativeProduct, kernels
from longspan.inference.search.arrays import Floats, Integers
from longspan.training.model.recurrence import Recurrence

__all__ = ["NativeEncoder"]


class NativeEncoder:
    """A `RecurrentEncoder` of LSTMs in evaluation mode."""

    def __init__(self, encoder: Any) -> None:
        self.layers = [
            _Layer((encoder.forwards, encoder.backwards)),
            *(_Layer((layer,)) for layer in encoder.upper),
        ]
        self.first_residual = encoder.first_residual

    def __call__(
        self, embedded: Floats, start: Integers, length: Integers
    ) -> tuple[Floats, Floats]:
        """Encode sentences that lie one after another, at `start`, `length` long, both (sentence,).

        embedded (tokens, embedding) -> encoded (tokens, units), and last (sentence, units) as
        `RecurrentEncoder.forward` returns it.
        """
        # The kernel needs this order. It writes each output at its token's place, so nothing has to
        # be sorted back.
        longest_first = (-length).argsort(kind="stable")
        spans = start[longest_first], length[longest_first]
        encoded = self.layers[0](embedded, *spans)
        half = encoded.shape[1] // 2
        ends = start + length - 1
        # Forwards the whole sentence has been read at its end, backwards at its start.
        last = np.concatenate([encoded[ends, :half], encoded[start, half:]], axis=1)
        for number, layer in enumerate(self.layers[1:], start=2):
            outputs = layer(encoded, *spans)
            encoded = outputs + encoded if number >= self.first_residual else outputs
            last = encoded[ends]
        return encoded, last


class _Layer:
    """One layer, forwards or in both directions."""

    def __init__(self, directions: tuple[Recurrence, ...]) -> None:
        weights = [direction.kernel.all_weights[0] for direction in directions]
        self.units = directions[0].units
        of_input = torch.cat([doubled_candidate(w[0]) for w in weights])
        bias = torch.cat([doubled_candidate(w[2]) for w in weights])
        self.of_input = _product(of_input, bias, bounded=False)
        self.recurrent = [
            _product(doubled_candidate(w[1]), doubled_candidate(w[3]), bounded=True)
            for w in weights
        ]

    def __call__(self, inputs: Floats, start: Integers, length: Integers) -> Floats:
        units = self.units
        gates = self.of_input.of(inputs)
        outputs = np.empty((len(inputs), len(self.recurrent) * units), np.float32)
        for number, product in enumerate(self.recurrent):
            # Views with gaps between their rows, which the kernel reads and fills in place.
            given = gates[:, 4 * units * number : 4 * units * (number + 1)]
            out = outputs[:, units * number : units * (number + 1)]
            kernels.recur(product.packed, given, start, length, out, number == 1)
        return outputs


def _product(weight: Tensor, bias: Tensor, *, bounded: bool) -> NativeProduct:
    return NativeProduct(EightBits.of(weight, bias, bounded=bounded))
