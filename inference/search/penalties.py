"""Penalties that make hypotheses of different length comparable (Wu et al. 2016, equation 14).

    score(Y, X) = log P(Y | X) / lp(Y) + cp(X; Y)
    lp(Y)       = ((5 + |Y|) / 6) ** alpha
    cp(X; Y)    = beta * sum_i log(min(sum_j p_ij, 1))

https://arxiv.org/abs/1609.08144, section 7. |Y| counts the end token.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["LEAST_COVERAGE", "coverage_penalty", "length_penalty"]

# A source token that received no attention has coverage 0. The logarithm of 0 is minus infinity and
# would make all such hypotheses equal.
LEAST_COVERAGE = 1e-9

LengthT = TypeVar("LengthT", float, NDArray[np.float64])


def length_penalty(length: LengthT, alpha: float) -> LengthT:
    """Return lp(Y) of outputs of `length` tokens, the end token counted; 1 where `alpha` is 0."""
    penalty: LengthT = ((length + 5) / 6) ** alpha
    return penalty


def coverage_penalty(coverage: Tensor, mask: Tensor, beta: float) -> Tensor:
    """Return cp(X; Y), at most 0: how much of the source was not attended to.

    `coverage` (..., source) is the attention that each source token has received from all target
    tokens until now. `mask` (..., source) is True at real tokens. The result has the leading shape.
    """
    covered = coverage.clamp(min=LEAST_COVERAGE, max=1.0).log()
    return beta * covered.masked_fill(~mask, 0.0).sum(dim=-1)
