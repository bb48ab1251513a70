import os
import subprocess
import sys

import pytest
import torch

from longspan.training.errors import HyperparameterError
from longspan.training.loop import precision
from longspan.training.loop.precision import autocast, compute_type, has_bf16, has_fast_bf16
from tests.bf16 import needs_onednn_limits

pytestmark = pytest.mark.processor

CPU = torch.device("cpu")
FAST = frozenset({"avx2", "avx512_bf16"})


@pytest.mark.parametrize(
    ("flags", "fast"),
    [({"avx2", "amx_bf16"}, True), ({"avx512_bf16"}, True), ({"avx512f"}, False), (set(), False)],
)
def test_flags_of_a_cpu_that_multiplies_bf16(flags, fast):
    assert has_fast_bf16(CPU, frozenset(flags), {}) is fast


@pytest.mark.parametrize(
    ("limit", "fast"), [("AVX2", False), ("avx512_core", False), ("AVX512_CORE_AMX", True)]
)
def test_a_limit_of_onednn_is_a_limit_of_auto(limit, fast):
    assert has_fast_bf16(CPU, FAST, {"ONEDNN_MAX_CPU_ISA": limit}) is fast


def test_auto_follows_the_machine_and_fp32_does_not():
    fast = has_fast_bf16(CPU)
    assert compute_type("auto", CPU) == (torch.bfloat16 if fast else torch.float32)
    assert compute_type("fp32", CPU) == torch.float32
    assert has_bf16(CPU) or not fast


def test_bf16_is_taken_where_it_trains_and_refused_elsewhere(monkeypatch):
    monkeypatch.setattr(precision, "_cpu_has_bf16", lambda: True)
    assert compute_type("bf16", CPU) == torch.bfloat16
    monkeypatch.setattr(precision, "_cpu_has_bf16", lambda: False)
    expected = r"precision=bf16: expected a device .*, got a processor with .*; set precision=auto"
    with pytest.raises(HyperparameterError, match=expected):
        compute_type("bf16", CPU)


def test_trying_leaves_the_random_numbers_alone():
    before = torch.get_rng_state()
    precision._cpu_has_bf16.cache_clear()
    has_bf16(CPU)
    assert torch.equal(torch.get_rng_state(), before)


SCRIPT = """
import torch
from longspan.training.loop.precision import compute_type, has_bf16
cpu = torch.device("cpu")
print(has_bf16(cpu), compute_type("auto", cpu))
"""


@needs_onednn_limits
def test_a_processor_limited_to_avx2_has_none():
    limits = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    for limit in (limits, {"ONEDNN_MAX_CPU_ISA": "AVX2"}):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | limit,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == ["False", "torch.float32"]


@pytest.mark.parametrize("compute", [torch.bfloat16, torch.float32])
def test_products_use_the_type_and_weights_stay(compute):
    layer = torch.nn.Linear(4, 4)
    with autocast(CPU, compute):
        output = layer(torch.ones(2, 4))
    assert output.dtype == compute
    output.float().sum().backward()
    assert layer.weight.dtype == layer.weight.grad.dtype == torch.float32
