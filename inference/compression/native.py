"""The native kernels (kernels/, stub _kernels.pyi): there where they were built, and used where the
CPU has AVX512-VNNI. What they do, torch does elsewhere, and where `ATEN_CPU_CAPABILITY=avx2` limits
torch it does so here too."""

import numpy as np
from numpy.typing import NDArray

from longspan.training.processor import features

try:
    from longspan.inference.compression import _kernels as kernels
except ImportError:  # no compiler, or another kind of CPU
    kernels = None  # type: ignore[assignment]

__all__ = ["Floats", "Integers", "has_native_kernels", "kernels"]

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

# A build of another version is left alone; installing again makes the right one.
_INTERFACE = 2
_usable = (
    kernels is not None
    and getattr(kernels, "INTERFACE", 1) == _INTERFACE
    and kernels.supported()
    and "avx512_vnni" in features()
)


def has_native_kernels() -> bool:
    """Whether the kernels can be called."""
    return _usable
