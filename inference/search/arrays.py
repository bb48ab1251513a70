"""Types of the NumPy arrays that a search and the kernels in C hand to each other."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Doubles", "Floats", "Integers"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]  # for sums over thousands of steps
Integers = NDArray[np.int64]
