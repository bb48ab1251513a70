import pytest
import torch

from longspan.training.precision import autocast, compute_type, has_fast_bf16

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "fast"),
    [({"avx2", "amx_bf16"}, True), ({"avx512_bf16"}, True), ({"avx512f"}, False), (set(), False)],
)
def test_flags_of_a_cpu_that_multiplies_bf16(flags, fast):
    assert has_fast_bf16(CPU, frozenset(flags)) is fast


def test_auto_follows_the_machine_and_others_do_not():
    fast = has_fast_bf16(CPU)
    assert compute_type("auto", CPU) == (torch.bfloat16 if fast else torch.float32)
    assert compute_type("bf16", CPU) == torch.bfloat16
    assert compute_type("fp32", CPU) == torch.float32


@pytest.mark.parametrize("compute", [torch.bfloat16, torch.float32])
def test_products_use_the_type_and_weights_stay(compute):
    layer = torch.nn.Linear(4, 4)
    with autocast(CPU, compute):
        output = layer(torch.ones(2, 4))
    assert output.dtype == compute
    output.float().sum().backward()
    assert layer.weight.dtype == layer.weight.grad.dtype == torch.float32
