"""Products with weights in eight bits: by oneDNN through torch, or by the native kernels.

Weights have one scale an output (Jacob et al. 2018, section 2, symmetric); inputs one scale a row,
found when they come, or the fixed one of what is known to lie between -1 and 1. None of them
depends on the other rows, so that a sentence is translated alike whatever it is batched with.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from longspan.inference.search.arrays import Floats
from longspan.training.processor import features

try:
    from longspan.inference.compression import _kernels as kernels
except ImportError:  # no compiler, or another kind of CPU
    kernels = cast("Any", None)

__all__ = [
    "EightBits",
    "NativeProduct",
    "Product",
    "TorchProduct",
    "has_native_kernels",
    "input_bits",
    "kernels",
    "product_of",
    "steps_of",
]

_LEAST = 1e-12
# The interface that this package calls. A build of another version is left unused; installing the
# package again builds the right one.
_INTERFACE = 2
_usable = (
    kernels is not None
    and kernels.INTERFACE == _INTERFACE
    and kernels.supported()
    and "avx512_vnni" in features()
)


def has_native_kernels() -> bool:
    """Return whether the kernels in C (kernels/, stub `_kernels.pyi`) can be called.

    They need a build and a CPU with AVX512-VNNI. Where `ATEN_CPU_CAPABILITY=avx2` limits torch,
    they are not used either. Torch does the same work elsewhere.
    """
    return _usable


def steps_of(bits: int) -> int:
    """Steps of a scale from 0 to either side, when a number is kept in so many bits."""
    return 2 ** (bits - 1) - 1


_STEPS = steps_of(8)


@dataclass(frozen=True)
class EightBits:
    """A linear layer's numbers. With `bounded`, inputs lie between -1 and 1."""

    integers: Tensor  # (out, in) int8
    scale: Tensor  # (out,)
    bias: Tensor  # (out,)
    bounded: bool

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor | None, *, bounded: bool) -> "EightBits":
        """weight (out, in), bias (out,) or None."""
        weight = weight.detach().float()
        scale = weight.abs().amax(1).clamp_min(_LEAST) / _STEPS
        integers = (weight / scale[:, None]).round().to(torch.int8)
        bias = torch.zeros(len(weight)) if bias is None else bias.detach().float()
        return cls(integers, scale, bias, bounded)


@cache
def input_bits() -> int:
    """Bits that `TorchProduct` keeps of an input: 8, or 7 where 8 would overflow.

    An x86 processor without VNNI adds two products, u8 by s8, in a register of 16 bits that
    saturates: 2 x 255 x 127 does not fit, 2 x 127 x 127 does. Which instructions oneDNN uses is up
    to the processor and to `ONEDNN_MAX_CPU_ISA`, so the largest product there is tells.
    """
    weights = torch.full((16, 64), _STEPS).to(torch.int8)
    product = TorchProduct(EightBits(weights, torch.ones(16), torch.zeros(16), bounded=True), 8)
    expected = torch.full((16, 16), 64.0 * _STEPS)
    exact = all(torch.allclose(product(torch.ones(rows, 64)), expected[:rows]) for rows in (1, 16))
    return 8 if exact else 7


class Product(Protocol):
    """rows (rows, in) -> (rows, out)."""

    def __call__(self, rows: Tensor, /) -> Tensor:
        """The layer's outputs."""
        ...

    def native(self) -> "NativeProduct":
        """The same by the native kernels, which must be usable."""
        ...


def product_of(bits: EightBits) -> Product:
    """The faster one: the kernels use one thread, oneDNN as many as torch may."""
    alone = has_native_kernels() and torch.get_num_threads() == 1
    return NativeProduct(bits) if alone else TorchProduct(bits)


class NativeProduct:
    """By the kernels."""

    def __init__(self, bits: EightBits) -> None:
        integers, scale = bits.integers.contiguous().numpy(), (bits.scale / _STEPS).numpy()
        self.packed = kernels.pack(integers, scale, bits.bias.numpy(), bits.bounded)
        self.outputs = len(bits.scale)

    def __call__(self, rows: Tensor) -> Tensor:
        """As `Product`."""
        return torch.from_numpy(self.of(rows.contiguous().numpy()))

    def of(self, rows: Floats) -> Floats:
        """As a call, of an array."""
        out = np.empty((len(rows), self.outputs), np.float32)
        kernels.linear(self.packed, rows, out)
        return out

    def native(self) -> "NativeProduct":
        """Itself."""
        return self


class TorchProduct:
    """By oneDNN, with inputs of `kept` bits; one row of 8 bits by torch, which has less to do."""

    def __init__(self, bits: EightBits, kept: int | None = None) -> None:
        self.bits = bits
        kept = input_bits() if kept is None else kept
        self.steps = steps_of(kept)
        self.zero = self.steps + 1  # what 0 is among the inputs, which are unsigned
        # Signed bytes get 128 added in oneDNN, so seven bits of them would overflow again; and of
        # inputs of one number torch makes nonsense.
        self.has_short_way = kept == 8 and bits.integers.shape[1] > 1
        self.packed = torch.ops.onednn.qlinear_prepack(bits.integers, None)
        self.zeros = torch.zeros(len(bits.scale), dtype=torch.int32)
        self.fine = bits.scale / self.steps

    def __call__(self, rows: Tensor) -> Tensor:
        """As `Product`."""
        return self._bounded(rows) if self.bits.bounded else self._any(rows)

    def native(self) -> NativeProduct:
        """Packed anew."""
        return NativeProduct(self.bits)

    def _bounded(self, rows: Tensor) -> Tensor:
        if len(rows) == 1 and self.has_short_way:
            return torch.addcmul(self.bits.bias, self._sums(rows.mul(self.steps)), self.fine)
        return self._product(rows, self.bits.bias)

    def _any(self, rows: Tensor) -> Tensor:
        peak = rows.abs().amax(1, keepdim=True).clamp_min_(_LEAST)  # (rows, 1)
        rows = rows / peak
        if len(rows) == 1 and self.has_short_way:
            sums = self._sums(rows.mul_(self.steps))
            return torch.addcmul(self.bits.bias, sums, self.fine * peak[0])
        return torch.addcmul(self.bits.bias, self._product(rows, None), peak)

    def _sums(self, scaled: Tensor) -> Tensor:
        return torch._int_mm(scaled.round_().to(torch.int8), self.bits.integers.t())

    def _product(self, rows: Tensor, bias: Tensor | None) -> Tensor:
        # Cut off after adding a half is rounding, of what is not negative.
        integers = rows.mul(self.steps).add_(self.zero + 0.5).to(torch.uint8)
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            integers, 1 / self.steps, self.zero, self.packed, self.bits.scale, self.zeros, bias,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return product
