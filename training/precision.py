"""Which number format the matrix products of training use; weights stay float32."""

from contextlib import AbstractContextManager
from pathlib import Path

import torch

__all__ = ["autocast", "compute_type", "cpu_flags", "has_fast_bf16"]

_CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


def compute_type(precision: str, device: torch.device) -> torch.dtype:
    """float32 or bfloat16 for `precision` auto | bf16 | fp32 on `device`."""
    if precision == "bf16" or (precision == "auto" and has_fast_bf16(device)):
        return torch.bfloat16
    return torch.float32


def has_fast_bf16(device: torch.device, flags: frozenset[str] | None = None) -> bool:
    """Whether products in bfloat16 are faster than in float32 on this device.

    For a CPU, `flags` are its feature flags, read from the system where not given.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(_CPU_FLAGS & (flags if flags is not None else cpu_flags()))


def autocast(device: torch.device, compute: torch.dtype) -> AbstractContextManager[object]:
    """`torch.autocast` to bfloat16, or one that does nothing for float32."""
    enabled = compute == torch.bfloat16
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


def cpu_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The processor's feature flags, as Linux names them; none where it does not say."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()  # not Linux: nothing is known, so float32
    return frozenset(next((line.split() for line in lines if line.startswith("flags")), []))
