"""The processor: which of its instructions matrix products may use.

torch, oneDNN and the native kernels choose their instructions by themselves. This module says what
they have to choose from, so that precision is chosen to suit.
"""

import torch

__all__ = ["features", "level"]

# Instruction sets beyond AVX2, by the beginnings of their names.
_BEYOND_AVX2 = ("amx", "avx10", "avx512", "avx_ne", "avx_vnni")
# From the most capable down: the feature that each level is known by.
_LEVELS = {
    "amx_bf16": "AMX with bf16",
    "avx512_bf16": "AVX-512 with bf16",
    "avx512_vnni": "AVX-512 with VNNI",
    "avx512_f": "AVX-512",
    "avx_vnni": "AVX2 with VNNI",
    "avx2": "AVX2",
}


def features() -> frozenset[str]:
    """Names of the instruction sets to use, such as `avx2`, `avx512_vnni`, `amx_bf16`.

    torch asks the processor itself (cpuid), so an emulated one counts too. Where
    `ATEN_CPU_CAPABILITY` limits torch to AVX2 or less, nothing newer is in the set.
    """
    found = frozenset(name for name, value in torch.cpu.get_capabilities().items() if value is True)
    limited = "avx512_f" in found and "AVX512" not in torch.backends.cpu.get_cpu_capability()
    return frozenset(name for name in found if not (limited and name.startswith(_BEYOND_AVX2)))


def level(names: frozenset[str]) -> str:
    """What to call a processor with these features in a log or a table."""
    known = (text for name, text in _LEVELS.items() if name in names)
    return next(known, torch.backends.cpu.get_cpu_capability())
