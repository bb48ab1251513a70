"""Which number format the matrix products of training use; weights stay float32."""

from contextlib import AbstractContextManager

import torch

from longspan.training.processor import features

__all__ = ["autocast", "compute_type", "has_fast_bf16"]

_CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


def compute_type(precision: str, device: torch.device) -> torch.dtype:
    """float32 or bfloat16 for `precision` auto | bf16 | fp32 on `device`."""
    if precision == "bf16" or (precision == "auto" and has_fast_bf16(device)):
        return torch.bfloat16
    return torch.float32


def has_fast_bf16(device: torch.device, flags: frozenset[str] | None = None) -> bool:
    """Whether products in bfloat16 are faster than in float32 on this device.

    For a CPU, `flags` are the names of its features, this processor's where not given.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(_CPU_FLAGS & (flags if flags is not None else features()))


def autocast(device: torch.device, compute: torch.dtype) -> AbstractContextManager[object]:
    """`torch.autocast` to bfloat16, or one that does nothing for float32."""
    enabled = compute == torch.bfloat16
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)
