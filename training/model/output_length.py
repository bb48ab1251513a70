"""Output length: how long a translation may get, from the pairs that a model was trained on.

A model that finds no end goes on to the limit, so the limit bounds what a bad one costs; no output
of a good one should come near it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["OFFSET", "length_factor"]

# Target tokens beside the factor's, since short sentences vary most.
OFFSET = 20
# Times the mean ratio of the lengths, for sentences longer than those of the training pairs.
_MARGIN = 1.5
# Some pairs of any corpus are no translations; these lengths say nothing.
_SOUND = 0.99


def length_factor(sources: "NDArray[np.integer]", targets: "NDArray[np.integer]") -> float:
    """Target tokens that an output may have for each source token, beside `OFFSET`.

    `sources` and `targets` (pairs,) are lengths in tokens. All but a hundredth of the pairs would
    fit, and one half more than their mean ratio does.
    """
    import numpy as np  # here, since the server has no use for it

    mean = float(targets.sum(dtype=np.int64) / sources.sum(dtype=np.int64))
    needed = float(np.quantile((targets - float(OFFSET)) / sources, _SOUND))
    return round(max(_MARGIN * mean, needed), 2)
