"""One translation as a search found it. Imports no torch: what serves needs none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Hypothesis"]


@dataclass(frozen=True)
class Hypothesis:
    """One translation as token ids.

    `ids` has neither BOS nor EOS. `score` is penalised; `log_probability` is the plain sum over
    `ids` and EOS, or over `ids` alone where `finished` is False: the length limit stopped it, or,
    where `looping` is True, the search did, since it repeated itself.
    `alignment` (target, source) has a row per id and a column per source token, its EOS
    included: the attention weights averaged over heads, or None where not asked for.
    """

    ids: list[int]
    score: float
    log_probability: float
    finished: bool
    alignment: "NDArray[np.float32] | None" = None
    looping: bool = False
