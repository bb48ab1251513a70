"""The number format of matrix products in training; weights are always float32."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache

import torch

from longspan.training.errors import HyperparameterError
from longspan.training.processor import features, level

__all__ = ["autocast", "compute_type", "has_bf16", "has_fast_bf16"]

_CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
# The variable that limits oneDNN's instructions, and its values without products in bfloat16.
_LIMIT = "ONEDNN_MAX_CPU_ISA"
_LIMITS_BELOW = frozenset(
    {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
)


def compute_type(precision: str, device: torch.device) -> torch.dtype:
    """Return float32 or bfloat16 for `precision` auto | bf16 | fp32 on `device`.

    Raises HyperparameterError for bf16 on a device that cannot train with it.
    """
    if precision == "bf16" and not has_bf16(device):
        raise HyperparameterError(
            f"precision=bf16: expected a device that trains in bfloat16, got {_name(device)}; set "
            "precision=auto, which takes bf16 where it is fast and fp32 elsewhere"
        )
    if precision == "bf16" or (precision == "auto" and has_fast_bf16(device)):
        return torch.bfloat16
    return torch.float32


def has_bf16(device: torch.device) -> bool:
    """Return whether a device can train in bfloat16, fast or not."""
    return torch.cuda.is_bf16_supported() if device.type == "cuda" else _cpu_has_bf16()


def has_fast_bf16(
    device: torch.device,
    flags: frozenset[str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> bool:
    """Return whether products in bfloat16 are faster than in float32 on a device.

    `flags` are the names of a CPU's features (default: those of this processor). A limit of oneDNN
    in `environment` is respected.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    limited = environment.get(_LIMIT, "").upper() in _LIMITS_BELOW
    return bool(_CPU_FLAGS & (flags if flags is not None else features())) and not limited


def autocast(device: torch.device, compute: torch.dtype) -> AbstractContextManager[object]:
    """Return `torch.autocast` to bfloat16, or for float32 a context that does nothing."""
    enabled = compute == torch.bfloat16
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


@cache
def _cpu_has_bf16() -> bool:
    """Try an LSTM in bfloat16, which some processors refuse that compute other layers slowly."""
    cpu = torch.device("cpu")
    # The layer draws its weights, and the caller's random numbers must stay as they were.
    with torch.random.fork_rng(devices=[]):
        lstm = torch.nn.LSTM(8, 8)
    try:
        with torch.enable_grad(), autocast(cpu, torch.bfloat16):
            output, _ = lstm(torch.zeros(2, 1, 8))
        output.float().sum().backward()
    except RuntimeError:
        return False
    return True


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    limit = os.environ.get(_LIMIT)
    return f"a processor with {level(features())}" + (f" and {_LIMIT}={limit}" if limit else "")
