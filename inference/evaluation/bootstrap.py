"""Bootstrap intervals and paired significance of scores, from counts per segment.

A score is a function of counts that add up over segments (`scores.Statistics`). So a resample of
the test set is a weighted sum of rows, and one matrix product computes many resamples:

    weights (resample, segment) @ counts (segment, count) = sums (resample, count) -> scores
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "Paired", "Ratio", "compare", "interval", "ratio"]

_Counts = NDArray[np.float64]
Score = Callable[[_Counts], _Counts]

# 32 MB of float64.
_WEIGHTS_AT_A_TIME = 4_000_000


@dataclass(frozen=True)
class Interval:
    """The bounds of a score in the middle `confidence` of the resamples."""

    low: float
    high: float


@dataclass(frozen=True)
class Paired:
    """One system's score minus the other's on the same segments."""

    difference: float
    interval: Interval
    p_value: float


@dataclass(frozen=True)
class Ratio:
    """One system's score over the other's on the same segments."""

    value: float
    interval: Interval


def interval(
    counts: _Counts,
    score: Score,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 1,
) -> Interval:
    """Return the bootstrap percentile interval of `score` (Koehn 2004, section 3).

    `counts` (segment, count) has at least one row; `score` takes (resample, count) sums.
    """
    generator = np.random.default_rng(seed)
    sums = [weights @ counts for weights in _resamples(len(counts), resamples, generator)]
    return _middle(score(np.concatenate(sums)), confidence)


def compare(
    counts: _Counts,
    against: _Counts,
    score: Score,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 1,
) -> Paired:
    """Compare two systems on the same segments: `counts` and `against`, row by row.

    The interval of the difference is from paired bootstrap resampling (Koehn 2004, section 4). The
    p-value is two-sided, from approximate randomisation (Riezler and Maxwell 2005): the share of
    `resamples` random swaps of the systems' outputs with at least the observed difference. The
    observed one counts too, so the value is never 0, and it is 1 for equal outputs.
    """
    generator = np.random.default_rng(seed)
    # (segment, 2 x counts): a resample draws the same segments for both systems.
    both = np.concatenate([counts, against], axis=1)
    width = counts.shape[1]
    pairs = [weights @ both for weights in _resamples(len(counts), resamples, generator)]
    sums = np.concatenate(pairs)
    differences = score(sums[:, :width]) - score(sums[:, width:])

    total = counts.sum(0), against.sum(0)
    observed = float(score(total[0]) - score(total[1]))
    # A swap moves a segment's difference from one system's sum to the other's: (trial, count).
    swapped = [swaps @ (against - counts) for swaps in _swaps(len(counts), resamples, generator)]
    moved = np.concatenate(swapped)
    shuffled = score(total[0] + moved) - score(total[1] - moved)
    # Sums in another order round differently; equal differences must count as equal.
    extreme = int((np.abs(shuffled) >= abs(observed) - 1e-9).sum())
    return Paired(observed, _middle(differences, confidence), (extreme + 1) / (resamples + 1))


def ratio(
    counts: _Counts,
    against: _Counts,
    score: Score,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 1,
) -> Ratio | None:
    """Return the score of `counts` over that of `against`, row by row of the same segments.

    The interval is from paired bootstrap resampling (Koehn 2004, section 4). The ratio is None
    where the second score is 0; a resample where it is 0 is left out.
    """
    over = float(score(against.sum(0)))
    if not over:
        return None
    generator = np.random.default_rng(seed)
    both = np.concatenate([counts, against], axis=1)
    width = counts.shape[1]
    sums = np.concatenate(
        [weights @ both for weights in _resamples(len(counts), resamples, generator)]
    )
    scores, others = score(sums[:, :width]), score(sums[:, width:])
    ratios = scores[others > 0] / others[others > 0]
    if not len(ratios):
        return None
    return Ratio(float(score(counts.sum(0))) / over, _middle(ratios, confidence))


def _resamples(size: int, count: int, generator: np.random.Generator) -> Iterator[_Counts]:
    """Yield how often each segment is drawn, (resample, segment), in blocks of bounded size."""
    for block in _blocks(size, count):
        # Drawn with replacement, `size` segments a resample: each row sums to `size`.
        weights = np.empty((block, size))
        for row in weights:
            row[:] = np.bincount(generator.integers(size, size=size), minlength=size)
        yield weights


def _swaps(size: int, count: int, generator: np.random.Generator) -> Iterator[_Counts]:
    """Yield which segments are swapped, (trial, segment), 0 or 1, in blocks of bounded size."""
    for block in _blocks(size, count):
        yield generator.integers(2, size=(block, size)).astype(np.float64)


def _blocks(size: int, count: int) -> Iterator[int]:
    most = max(1, _WEIGHTS_AT_A_TIME // max(size, 1))
    for start in range(0, count, most):
        yield min(most, count - start)


def _middle(scores: _Counts, confidence: float) -> Interval:
    tail = 50 * (1 - confidence)
    low, high = np.percentile(scores, [tail, 100 - tail])
    return Interval(float(low), float(high))
