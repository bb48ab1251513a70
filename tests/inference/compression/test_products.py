"""Products in eight bits against the integers that they stand for, at every number of bits here."""

import os
import subprocess
import sys

import pytest
import torch

from longspan.inference.compression.products import EightBits, TorchProduct, input_bits, steps_of
from longspan.training.processor import features

pytestmark = pytest.mark.processor

BITS = range(7, input_bits() + 1)


def layer(outputs: int, inputs: int, *, bounded: bool) -> EightBits:
    generator = torch.Generator().manual_seed(inputs)
    weight, bias = (
        2 * torch.rand(*s, generator=generator) - 1 for s in ((outputs, inputs), (outputs,))
    )
    return EightBits.of(weight, bias, bounded=bounded)


def exact(layer: EightBits, rows: torch.Tensor) -> torch.Tensor:
    """The layer in double precision, with the integers as its weights."""
    weight = layer.integers.double() * layer.scale.double()[:, None]
    return torch.nn.functional.linear(rows.double(), weight, layer.bias.double())


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 33])
@pytest.mark.parametrize("inputs", [1, 65, 300])
def test_a_product_is_off_by_half_a_step_of_each_input(bits, bounded, rows, inputs):
    numbers = layer(96, inputs, bounded=bounded)
    x = 2 * torch.rand(rows, inputs, generator=torch.Generator().manual_seed(1)) - 1
    x *= 1 if bounded else 5
    peak = torch.ones(rows, 1) if bounded else x.abs().amax(1, keepdim=True)
    sizes = numbers.integers.double().abs().sum(1) * numbers.scale.double()  # (out,)
    limit = peak * sizes * (0.5 / steps_of(bits) + 1e-6)  # and what float32 rounds
    assert ((TorchProduct(numbers, bits)(x) - exact(numbers, x)).abs() <= limit).all()


@pytest.mark.parametrize("rows", [1, 2, 33])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_product_there_is_does_not_overflow(rows, sign):
    numbers = EightBits.of(torch.ones(96, 256), None, bounded=True)
    found = TorchProduct(numbers)(sign * torch.ones(rows, 256))
    torch.testing.assert_close(found, torch.full((rows, 96), 256.0 * sign))


@pytest.mark.skipif("avx2" not in features(), reason="a processor without AVX2")
def test_seven_bits_are_kept_where_sums_have_sixteen():
    script = "from longspan.inference.compression.products import input_bits; print(input_bits())"
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["7"]
