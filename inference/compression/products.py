"""Matrix products with weights in eight bits, by oneDNN through torch or by the kernels in C.

Each output has a scale for its weights (Jacob et al. 2018, section 2, symmetric). Each row of
inputs has a scale of its own, from its largest number, or a fixed one where the inputs are known to
lie between -1 and 1. No scale depends on the other rows, so a sentence has the same translation in
every batch.

    real weight = integer x scale of the output      integer from -127 to 127
    real input  = integer x peak of the row / 127    peak 1 for bounded inputs
    output      = sum of integer products x both scales + bias
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
    """Return the steps of a scale on each side of 0, for signed integers of so many bits."""
    return 2 ** (bits - 1) - 1


_STEPS = steps_of(8)


@dataclass(frozen=True)
class EightBits:
    """The weights of a linear layer in eight bits. With `bounded`, inputs lie between -1 and 1."""

    integers: Tensor  # (out, in) int8
    scale: Tensor  # (out,)
    bias: Tensor  # (out,)
    bounded: bool

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor | None, *, bounded: bool) -> "EightBits":
        """Round a layer's weight (out, in) and bias (out,) or None."""
        weight = weight.detach().float()
        scale = weight.abs().amax(1).clamp_min(_LEAST) / _STEPS
        integers = (weight / scale[:, None]).round().to(torch.int8)
        bias = torch.zeros(len(weight)) if bias is None else bias.detach().float()
        return cls(integers, scale, bias, bounded)


@cache
def input_bits() -> int:
    """Return the bits of an input in `TorchProduct`: 8, or 7 where 8 would overflow.

    An x86 processor without VNNI adds two products of u8 and s8 in a register of 16 bits that
    saturates: 2 x 255 x 127 does not fit, 2 x 127 x 127 does. The instructions that oneDNN uses
    depend on the processor and on `ONEDNN_MAX_CPU_ISA`, so this function computes the largest
    product and compares.
    """
    weights = torch.full((16, 64), _STEPS).to(torch.int8)
    product = TorchProduct(EightBits(weights, torch.ones(16), torch.zeros(16), bounded=True), 8)
    expected = torch.full((16, 16), 64.0 * _STEPS)
    exact = all(torch.allclose(product(torch.ones(rows, 64)), expected[:rows]) for rows in (1, 16))
    return 8 if exact else 7


class Product(Protocol):
    """A product with the weights of one layer: rows (rows, in) -> (rows, out)."""

    def __call__(self, rows: Tensor, /) -> Tensor:
        """Return the layer's outputs (rows, out)."""
        ...

    def native(self) -> "NativeProduct":
        """Return the same product by the kernels, which must be usable."""
        ...


def product_of(bits: EightBits) -> Product:
    """Build the faster product: the kernels use one thread, oneDNN as many as torch may."""
    alone = has_native_kernels() and torch.get_num_threads() == 1
    return NativeProduct(bits) if alone else TorchProduct(bits)


class NativeProduct:
    """A product by the kernels in C."""

    def __init__(self, bits: EightBits) -> None:
        # The kernel multiplies by one factor, so the steps of the inputs are divided out here.
        integers, scale = bits.integers.contiguous().numpy(), (bits.scale / _STEPS).numpy()
        self.packed = kernels.pack(integers, scale, bits.bias.numpy(), bits.bounded)
        self.outputs = len(bits.scale)

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the layer's outputs (rows, out)."""
        return torch.from_numpy(self.of(rows.contiguous().numpy()))

    def of(self, rows: Floats) -> Floats:
        """Return the outputs of rows in an array, as an array."""
        out = np.empty((len(rows), self.outputs), np.float32)
        kernels.linear(self.packed, rows, out)
        return out

    def native(self) -> "NativeProduct":
        """Return this product itself."""
        return self


class TorchProduct:
    """A product by oneDNN with inputs of `input_size` bits.

    A single row with 8 bits goes through `torch._int_mm`, which has less work around the product.
    """

    def __init__(self, bits: EightBits, input_size: int | None = None) -> None:
        self.bits = bits
        size = input_bits() if input_size is None else input_size
        self.steps = steps_of(size)
        self.zero = self.steps + 1  # the unsigned input that stands for 0
        # oneDNN adds 128 to signed bytes, so with 7 bits these would overflow again. For rows of a
        # single input torch returns wrong numbers.
        self.has_short_way = size == 8 and bits.integers.shape[1] > 1
        self.packed = torch.ops.onednn.qlinear_prepack(bits.integers, None)
        self.zeros = torch.zeros(len(bits.scale), dtype=torch.int32)
        self.fine = bits.scale / self.steps

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the layer's outputs (rows, out)."""
        return self._bounded(rows) if self.bits.bounded else self._any(rows)

    def native(self) -> NativeProduct:
        """Return a product by the kernels, packed again."""
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
        # The product is in units of the row's peak, so the bias is added after it.
        return torch.addcmul(self.bits.bias, self._product(rows, None), peak)

    def _sums(self, scaled: Tensor) -> Tensor:
        return torch._int_mm(scaled.round_().to(torch.int8), self.bits.integers.t())

    def _product(self, rows: Tensor, bias: Tensor | None) -> Tensor:
        # For numbers of at least 0, adding a half and cutting off rounds to the nearest.
        integers = rows.mul(self.steps).add_(self.zero + 0.5).to(torch.uint8)
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            integers, 1 / self.steps, self.zero, self.packed, self.bits.scale, self.zeros, bias,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return product
