"""The limit of the length of a translation, from the pairs that a model was trained on.

A bad model may never output EOS, and the limit bounds what its translations cost. Translations of
a good model should not come near the limit.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["OFFSET", "length_factor"]

# Target tokens that are added to the factor's, since ratios of short sentences vary most.
OFFSET = 20
# The factor is at least this multiple of the mean ratio, for sentences longer than in training.
_MARGIN = 1.5
# Some pairs of any corpus are not translations, so the largest ratios are left out.
_SOUND = 0.99


def length_factor(sources: "NDArray[np.integer]", targets: "NDArray[np.integer]") -> float:
    """Return how many target tokens an output may have for each source token, beside `OFFSET`.

    `sources` and `targets` (pairs,) are lengths in tokens. 99% of the pairs fit into the limit, and
    the factor is at least 1.5 times their mean ratio.
    """
    import numpy as np  # here, since the server has no use for it

    mean = float(targets.sum(dtype=np.int64) / sources.sum(dtype=np.int64))
    needed = float(np.quantile((targets - float(OFFSET)) / sources, _SOUND))
    return round(max(_MARGIN * mean, needed), 2)
