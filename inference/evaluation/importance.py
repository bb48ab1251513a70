"""Importance: the share of a search's differences that one hyperparameter explains by itself.

A dozen jobs are too few to fit a model. So for each hyperparameter alone this is the share of the
objective's variance that lies between its values (eta squared), less the share that chance would
give (epsilon squared, Kelley 1935). Numbers are put in three groups of equal size first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["LEAST_JOBS", "importances"]

# Fewer jobs than this say nothing about any one hyperparameter.
LEAST_JOBS = 8
_GROUPS = 3


def importances(
    jobs: Sequence[Mapping[str, Any]], objectives: Sequence[float]
) -> list[tuple[str, float]]:
    """Return (name, share from 0 to 1) of each hyperparameter that differs, largest first.

    `jobs` are hyperparameters by name, as numbers or text. The list is empty for fewer than
    `LEAST_JOBS` jobs.
    """
    if len(jobs) < LEAST_JOBS:
        return []
    names = {name for job in jobs for name in job}
    found = [(name, _share([job.get(name) for job in jobs], objectives)) for name in names]
    varied = [(name, share) for name, share in found if share is not None]
    return sorted(varied, key=lambda pair: (-pair[1], pair[0]))


def _share(values: Sequence[Any], objectives: Sequence[float]) -> float | None:
    groups = _groups(values)
    kinds, members = np.unique(groups, return_inverse=True)
    count = len(groups)
    if len(kinds) < 2 or len(kinds) >= count:
        return None
    y = np.asarray(objectives, dtype=np.float64)
    total = float(((y - y.mean()) ** 2).sum())
    if total == 0:
        return 0.0
    means = np.array([y[members == kind].mean() for kind in range(len(kinds))])
    within = float(((y - means[members]) ** 2).sum())
    # The sum of squares that groups without any effect would have between them on average.
    by_chance = (len(kinds) - 1) * within / (count - len(kinds))
    return max(0.0, min(1.0, (total - within - by_chance) / total))


def _groups(values: Sequence[Any]) -> list[str]:
    """Return a group for each value; many different numbers form a few groups by their order."""
    texts = [str(value) for value in values]
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        return texts
    if len(np.unique(numbers)) <= _GROUPS:
        return texts
    bounds = np.quantile(numbers, [i / _GROUPS for i in range(1, _GROUPS)])
    return [str(number) for number in np.searchsorted(bounds, numbers, side="right")]
