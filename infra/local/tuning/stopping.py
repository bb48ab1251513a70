"""Which training jobs are stopped before their end: the median rule and Hyperband.

A curve is the objective's reports of one training job, in order; report number `n` (from 1) is
the job's `n`-th unit of resource, mostly an epoch. The rules are functions of the curves: they
remember nothing.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "Curve",
    "HyperbandRule",
    "MedianRule",
    "NeverStop",
    "StoppingRule",
    "bracket_of",
    "infer_maximum",
]

# Li et al. 2018 use 3 or 4; of each rung, one job in this many goes on.
_REDUCTION = 3
# So many jobs are in the most aggressive bracket before the others get any.
_RIVALS = 9
# The median of fewer jobs than these is chance.
_PREVIOUS_JOBS = 3


@dataclass(frozen=True)
class Curve:
    """The reports of a training job; `number` counts a tuning job's training jobs from 0."""

    number: int
    values: Sequence[float]
    completed: bool = False


class StoppingRule(Protocol):
    """Decides after each report."""

    def stops(self, job: Curve, step: int, others: Sequence[Curve]) -> bool:
        """Whether `job` ends after its report number `step`, given what the others reported."""
        ...


class NeverStop:
    """Every job runs to its end."""

    def stops(self, job: Curve, step: int, others: Sequence[Curve]) -> bool:
        """Never."""
        return False


@dataclass(frozen=True)
class MedianRule:
    """A job ends when it is worse than the median of the completed jobs' running averages.

    The averages are over the reports up to the same step, as Golovin et al. 2017 and
    https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
    have it.
    """

    goal: str  # `Maximize` or `Minimize`

    def stops(self, job: Curve, step: int, others: Sequence[Curve]) -> bool:
        """Not before three completed jobs have reached this step."""
        averages = [
            statistics.fmean(other.values[:step])
            for other in others
            if other.completed and len(other.values) >= step
        ]
        averages = [average for average in averages if math.isfinite(average)]
        if len(averages) < _PREVIOUS_JOBS:
            return False
        sign = _sign(self.goal)
        # A value that is not a number is no better than any.
        return not sign * job.values[step - 1] >= sign * statistics.median(averages)


@dataclass(frozen=True)
class HyperbandRule:
    """Successive halving in several brackets, asynchronously (Li et al. 2018, Li et al. 2020).

    In the last of `S + 1` brackets a job is first judged after `low` reports, then each time
    after three times as many; it goes on while it is in the best third of those of its bracket
    that came as far. Each bracket before leaves the first judgement out. No job goes beyond
    `high` reports.
    """

    goal: str  # `Maximize` or `Minimize`
    low: int
    high: int

    def stops(self, job: Curve, step: int, others: Sequence[Curve]) -> bool:
        """Not before `low` reports, and at `high` ones in any case."""
        if step >= self.high:
            return True
        bracket = bracket_of(job.number, self.brackets)
        if step not in self.rungs(bracket):
            return False
        rivals = [
            other.values[step - 1]
            for other in others
            if len(other.values) >= step and bracket_of(other.number, self.brackets) == bracket
        ]
        own, sign = job.values[step - 1], _sign(self.goal)
        better = sum(sign * rival > sign * own for rival in rivals)
        return math.isnan(own) or better >= max(1, (len(rivals) + 1) // _REDUCTION)

    @property
    def brackets(self) -> int:
        """How many there are, the last one the most aggressive."""
        return len(_powers(self.low, self.high)) + 1

    def rungs(self, bracket: int) -> tuple[int, ...]:
        """The steps at which jobs of a bracket are judged; none in bracket 0."""
        return _powers(self.low, self.high)[self.brackets - 1 - bracket :]


def bracket_of(number: int, brackets: int) -> int:
    """The bracket of a tuning job's training job `number`: the most aggressive one first.

    Each bracket is filled before the next one begins (Li et al. 2018, algorithm 1), with the jobs
    of as many rounds as give the first one nine. A search of few jobs is then one bracket in which
    they compete, instead of several in which a job has nobody to compete with, or is not judged.
    """
    shares = [math.ceil(brackets * _REDUCTION**s / (s + 1)) for s in range(brackets)]
    rounds = math.ceil(_RIVALS / shares[-1])
    shares = [rounds * share for share in shares]
    rest = number % sum(shares)
    for bracket in reversed(range(brackets)):
        if rest < shares[bracket]:
            return bracket
        rest -= shares[bracket]
    raise AssertionError("the shares hold every rest")


def _powers(low: int, high: int) -> tuple[int, ...]:
    """`low` and its products with powers of three, as far as they are below `high`."""
    steps = []
    while low < high:
        steps.append(low)
        low *= _REDUCTION
    return tuple(steps)


def _sign(goal: str) -> int:
    return 1 if goal == "Maximize" else -1


def infer_maximum(static: Mapping[str, str]) -> int | None:
    """MaxResource from the static hyperparameters, under the names that AWS looks at."""
    for name in ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs"):
        if static.get(name, "").isdecimal():
            return int(static[name])
    return None
