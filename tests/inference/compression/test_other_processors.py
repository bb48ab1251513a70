"""The native kernels and eight-bit products on processors that this machine does not have.

qemu-user runs one process as another processor would: `-cpu Haswell` is an x86-64 with AVX2 and
nothing newer. It is slow, so few things run there. `.ci/run` installs what this needs.
"""

import ast
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest

from longspan.inference.compression.products import steps_of

ROOT = Path(__file__).parents[3]
# Debian's Python for 64-bit Arm, unpacked: see `.ci/run`.
ARM = ROOT / "build/arm64"
ARM_COMPILER = "aarch64-linux-gnu-gcc"

pytestmark = [pytest.mark.processor, pytest.mark.qemu]

# What a processor with AVX2 computes: products of the largest numbers, and logits of an eight-bit
# model. Not those of the model before: qemu 7.2 gets oneDNN's LSTM in float32 wrong.
OF_AVX2 = """
import torch
from longspan.inference.compression.compressed_model import CompressedModel, choose_precision
from longspan.inference.compression.products import (
    EightBits, input_bits, kernels, has_native_kernels, product_of,
)
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model
from longspan.training.loop.precision import compute_type
from longspan.training.processor import features, level

def off(rows):
    ones = EightBits.of(torch.ones(96, 256), None, bounded=True)
    return float((product_of(ones)(torch.ones(rows, 256)) - 256).abs().max())

@torch.inference_mode()
def logits():
    sizes = ("rnn_num_hidden", "num_embed_source", "num_embed_target", "attention_dimension")
    hyperparameters = Hyperparameters.parse(dict.fromkeys(sizes, "64"))
    torch.manual_seed(3)
    model = CompressedModel(Model(hyperparameters, 90, 90), hyperparameters)
    memory = model.encode(torch.arange(4, 12)[None], torch.tensor([8]))
    found, state, _ = model.step(torch.tensor([2]), model.initial_state(memory), memory)
    return found[0].tolist()

print([
    level(features()),
    choose_precision("auto", torch.device("cpu")),
    str(compute_type("auto", torch.device("cpu"))),
    has_native_kernels(),
    input_bits(),
    max(off(rows) for rows in (1, 2, 33)),
    logits(),
])
print([name for name, one in vars(kernels).items() if callable(one)])
"""
OF_ARM = """
import platform, sys
sys.path.insert(0, sys.argv[1])
import _kernels
functions = [name for name, one in vars(_kernels).items() if callable(one)]
print([platform.machine(), _kernels.supported(), functions])
"""


def need(*programs: str) -> None:
    """Skip the test where one of them is missing."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


def build(compiler: str, out: Path) -> Path:
    """The module as the installation builds it, with warnings as errors."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [module] = project["tool"]["setuptools"]["ext-modules"]
    path = out / "_kernels.abi3.so"
    command = [compiler, *module["extra-compile-args"], "-Werror", "-fPIC", "-shared"]
    command += [f"-I{sysconfig.get_path('include')}", *(str(ROOT / s) for s in module["sources"])]
    command += ["-o", str(path), *(f"-l{library}" for library in module["libraries"])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return path


def answers(*command: str | Path, **environment: str) -> list[Any]:
    """The Python values that a program prints, one a line."""
    variables = {**os.environ, **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [ast.literal_eval(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("compiler", ["cc", "clang", ARM_COMPILER])
def test_the_kernels_compile_without_warnings(compiler, tmp_path):
    need(compiler)
    assert build(compiler, tmp_path).is_file()


def test_on_arm_the_module_loads_and_has_no_kernels(tmp_path):
    need(ARM_COMPILER, "qemu-aarch64")
    python = ARM / "usr/bin/python3.11"
    if not python.is_file():
        pytest.skip(f"needs a Python for Arm in {ARM.relative_to(ROOT)}")
    build(ARM_COMPILER, tmp_path)
    [found] = answers("qemu-aarch64", "-L", ARM, python, "-S", "-c", OF_ARM, tmp_path)
    assert found == ["aarch64", False, ["supported"]]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="emulates one x86-64 on another")
def test_a_processor_with_avx2_computes_what_one_limited_to_it_does():
    need("qemu-x86_64")
    python = (sys.executable, "-c", OF_AVX2)
    (*emulated, off, logits), functions = answers("qemu-x86_64", "-cpu", "Haswell", *python)
    limits = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    (*limited, _, expected), _ = answers(*python, **limits)
    assert emulated == limited == ["AVX2", "fp32", "torch.float32", False, 7]
    assert off == pytest.approx(0, abs=256 * 1e-6)
    # Sums of floats may come in another order, and so an input be rounded the other way: that is a
    # step of it, by a weight that is at most this in a model without training.
    weight = (6 / (64 + 64)) ** 0.5
    assert logits == pytest.approx(expected, abs=weight / steps_of(7))
    # Here the module was built for the instructions, and must not offer what would end the process.
    assert functions == ["supported"]
