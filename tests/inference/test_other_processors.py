"""The native kernels and eight-bit products on processors that this machine does not have.

qemu-user runs one process as another processor would: `-cpu Haswell` is an x86-64 with AVX2 and
nothing newer. It is slow, so few things run there. `.ci/run` installs what this needs.
"""

import ast
import platform
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Debian's Python for 64-bit Arm, unpacked: see `.ci/run`.
ARM = ROOT / "build/arm64"
ARM_COMPILER = "aarch64-linux-gnu-gcc"

pytestmark = [pytest.mark.processor, pytest.mark.qemu]

OF_HASWELL = """
import torch
from longspan.inference import native
from longspan.inference.compression import choose_precision
from longspan.inference.products import EightBits, TorchProduct, input_bits, product_of
from longspan.training.precision import compute_type
from longspan.training.processor import features, level

ones = EightBits.of(torch.ones(96, 256), None, bounded=True)
product = product_of(ones)
print({
    "level": level(features()),
    "precision": choose_precision("auto", torch.device("cpu")),
    "training": str(compute_type("auto", torch.device("cpu"))),
    "usable": native.usable(),
    "functions": sorted(n for n in dir(native.kernels) if not n.startswith("_")),
    "bits": input_bits(),
    "product": type(product).__name__,
    "off": max(float((product(torch.ones(n, 256)) - 256).abs().max()) for n in (1, 2, 33)),
})
"""
OF_ARM = """
import platform, sys
sys.path.insert(0, sys.argv[1])
import _kernels
functions = [n for n in dir(_kernels) if not n.startswith("_")]
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


def answer(*command: str | Path) -> object:
    """The Python value that a program prints in its last line."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout.splitlines()[-1])


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
    found = answer("qemu-aarch64", "-L", ARM, python, "-S", "-c", OF_ARM, tmp_path)
    assert found == ["aarch64", False, ["supported"]]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="emulates one x86-64 on another")
def test_with_avx2_alone_torch_does_the_products_and_none_overflows():
    need("qemu-x86_64")
    found = answer("qemu-x86_64", "-cpu", "Haswell", sys.executable, "-c", OF_HASWELL)
    assert found == {
        "level": "AVX2",
        "precision": "fp32",
        "training": "torch.float32",
        "usable": False,
        "functions": ["supported"],
        "bits": 7,
        "product": "TorchProduct",
        "off": pytest.approx(0, abs=256 * 1e-6),
    }
