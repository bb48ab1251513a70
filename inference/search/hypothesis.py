"""One translation as a search found it. Imports no torch, which the HTTP server does without."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Hypothesis"]


@dataclass(frozen=True)
class Hypothesis:
    """One translation as token ids, without BOS and EOS.

    `score` is the log-probability after the penalties. `log_probability` is the sum over `ids` and
    EOS. Where `finished` is False there is no EOS: the length limit stopped the hypothesis, or the
    search did because the hypothesis repeated itself (`looping`). `alignment` (target, source) has
    a row for each id and a column for each source token, EOS included: the attention weights
    averaged over heads. It is None unless the settings ask for it. `token_log_probabilities` are
    those of the ids and EOS, known for given targets alone.
    """

    ids: list[int]
    score: float
    log_probability: float
    finished: bool
    alignment: "NDArray[np.float32] | None" = None
    looping: bool = False
    token_log_probabilities: tuple[float, ...] | None = None
