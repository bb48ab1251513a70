"""The processor's instruction sets that matrix products may use.

torch, oneDNN and the native kernels select their instructions themselves. This module names the
sets they select from, so that the precision can be chosen accordingly.
"""

import torch

__all__ = ["features", "level"]

# Beginnings of the names of instruction sets beyond AVX2.
_BEYOND_AVX2 = ("amx", "avx10", "avx512", "avx_ne", "avx_vnni")
# From the most capable level down: the feature that tells a level, and its name.
_LEVELS = {
    "amx_bf16": "AMX with bf16",
    "avx512_bf16": "AVX-512 with bf16",
    "avx512_vnni": "AVX-512 with VNNI",
    "avx512_f": "AVX-512",
    "avx_vnni": "AVX2 with VNNI",
    "avx2": "AVX2",
}


def features() -> frozenset[str]:
    """Return the names of instruction sets, such as `avx2`, `avx512_vnni` and `amx_bf16`.

    torch asks the processor itself (cpuid), also an emulated one. If `ATEN_CPU_CAPABILITY` limits
    torch to AVX2 or less, no newer set is returned.
    """
    found = frozenset(name for name, value in torch.cpu.get_capabilities().items() if value is True)
    limited = "avx512_f" in found and "AVX512" not in torch.backends.cpu.get_cpu_capability()
    return frozenset(name for name in found if not (limited and name.startswith(_BEYOND_AVX2)))


def level(names: frozenset[str]) -> str:
    """Return the name of a processor with these features, for a log or a table."""
    known = (text for name, text in _LEVELS.items() if name in names)
    return next(known, torch.backends.cpu.get_cpu_capability())
