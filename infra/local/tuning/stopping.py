"""Early stopping of training jobs: the median rule and Hyperband.

A curve holds the reports of the objective of one training job, in order. Report `n`, counted from
1, follows the job's `n`-th unit of resource, usually an epoch. Rules have no state: they are
functions of the curves.
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

# At each rung, one job in three continues; Li et al. 2018 use 3 or 4.
_REDUCTION = 3
# Jobs in the most aggressive bracket before the next bracket gets any.
_RIVALS = 9
# Completed jobs that the median rule needs.
_PREVIOUS_JOBS = 3


@dataclass(frozen=True)
class Curve:
    """Reports of training job `number`, counted from 0 in its tuning job."""

    number: int
    values: Sequence[float]
    completed: bool = False


class StoppingRule(Protocol):
    """Rule that decides after each report whether a job stops."""

    def stops(self, job: Curve, step: int, others: Sequence[Curve]) -> bool:
        """Return whether `job` stops after its report `step`, given the other jobs' reports."""
        ...


class NeverStop:
    """Rule under which every job runs to its end."""

    def stops(self, job: Curve, step: int, others: Sequence[Curve]) -> bool:
        """Return False."""
        return False


@dataclass(frozen=True)
class MedianRule:
    """Stop a job that is worse than the median of the completed jobs' running averages.

    The averages are over the reports up to the same step, as in Golovin et al. 2017 and
    https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html.
    """

    goal: str  # `Maximize` or `Minimize`

    def stops(self, job: Curve, step: int, others: Sequence[Curve]) -> bool:
        """Return whether `job` stops; never before three completed jobs reached the step."""
        averages = [
            statistics.fmean(other.values[:step])
            for other in others
            if other.completed and len(other.values) >= step
        ]
        # The median with a NaN is NaN, by which every job would stop.
        averages = [average for average in averages if math.isfinite(average)]
        if len(averages) < _PREVIOUS_JOBS:
            return False
        sign = _sign(self.goal)
        # `not >=`, so that a job with NaN stops.
        return not sign * job.values[step - 1] >= sign * statistics.median(averages)


@dataclass(frozen=True)
class HyperbandRule:
    """Successive halving in several brackets, asynchronously (Li et al. 2018, Li et al. 2020).

    In the last of `S + 1` brackets, jobs are compared at `low` reports, then at 3 `low`, 9 `low`
    and so on. A job continues if it is in the best third of the jobs of its bracket that reached
    the same rung. Each earlier bracket skips one more of the first rungs. All jobs stop at `high`
    reports.

        rungs for low = 1, high = 27:   bracket 3:  1  3  9
                                        bracket 2:     3  9
                                        bracket 1:        9
                                        bracket 0:  (none)
    """

    goal: str  # `Maximize` or `Minimize`
    low: int
    high: int

    def stops(self, job: Curve, step: int, others: Sequence[Curve]) -> bool:
        """Return whether `job` stops; never before `low` reports, always at `high`."""
        if step >= self.high:
            return True
        bracket = bracket_of(job.number, self.brackets)
        if step not in self.rungs(bracket):
            return False
        # Asynchronous halving: compare with the jobs that have reached this rung by now.
        rivals = [
            other.values[step - 1]
            for other in others
            if len(other.values) >= step and bracket_of(other.number, self.brackets) == bracket
        ]
        own, sign = job.values[step - 1], _sign(self.goal)
        better = sum(sign * rival > sign * own for rival in rivals)
        # The job and its rivals together: the best third goes on, and at least the best one.
        return math.isnan(own) or better >= max(1, (len(rivals) + 1) // _REDUCTION)

    @property
    def brackets(self) -> int:
        """Number of brackets; the last one is the most aggressive."""
        return len(_powers(self.low, self.high)) + 1

    def rungs(self, bracket: int) -> tuple[int, ...]:
        """Return the steps at which jobs of a bracket are compared; none for bracket 0."""
        return _powers(self.low, self.high)[self.brackets - 1 - bracket :]


def bracket_of(number: int, brackets: int) -> int:
    """Return the bracket of training job `number`: the most aggressive bracket comes first.

    Each bracket is filled before the next one begins (Li et al. 2018, algorithm 1), with the jobs
    of enough rounds for nine jobs in the first bracket. So the jobs of a small search compete in
    one bracket, instead of being spread over several without competitors.
    """
    # Jobs per round of bracket s, as in Li et al. 2018: (S + 1) * 3**s / (s + 1).
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
    """Return `low` times powers of three, below `high`."""
    steps = []
    while low < high:
        steps.append(low)
        low *= _REDUCTION
    return tuple(steps)


def _sign(goal: str) -> int:
    return 1 if goal == "Maximize" else -1


def infer_maximum(static: Mapping[str, str]) -> int | None:
    """Return MaxResource from the static hyperparameters, by the names that AWS documents."""
    for name in ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs"):
        if static.get(name, "").isdecimal():
            return int(static[name])
    return None
