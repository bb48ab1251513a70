"""Early end of a tuning job: completion criteria, and failure.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-progress.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.tuning.definitions import Objective
from longspan.infra.local.tuning.results import TrialResult

__all__ = ["Criteria", "failure", "not_improving"]

_IMPROVEMENT = 0.01  # relative, AWS's threshold
# AWS does not document how it detects convergence. Here: no improvement in the last half of all
# jobs, and in at least ten jobs.
_CONVERGED_JOBS = 10
_ATTEMPTS = 5  # training jobs after which a tuning job without any success fails, as on AWS


@dataclass(frozen=True)
class Criteria:
    """`TuningJobCompletionCriteria`; None stands for an absent criterion."""

    target: float | None = None
    patience: int | None = None
    convergence: bool = False

    @classmethod
    def parse(cls, given: Mapping[str, Any] | None) -> "Criteria":
        """Return the criteria in a request."""
        given = given or {}
        return cls(
            given.get("TargetObjectiveMetricValue"),
            (given.get("BestObjectiveNotImproving") or {}).get(
                "MaxNumberOfTrainingJobsNotImproving"
            ),
            (given.get("ConvergenceDetected") or {}).get("CompleteOnConvergence") == "Enabled",
        )

    def hold(self, values: Sequence[float], objective: Objective) -> bool:
        """Return whether a criterion is met by the objectives, in the order of their arrival."""
        if not values:
            return False
        best = objective.best(values)
        # Met also by a value equal to the target.
        if self.target is not None and best is not None and not objective.better(self.target, best):
            return True
        stale = not_improving(values, objective)
        if self.patience is not None and stale >= self.patience:
            return True
        return self.convergence and stale >= max(_CONVERGED_JOBS, (len(values) + 1) // 2)


def not_improving(values: Sequence[float], objective: Objective) -> int:
    """Return how many objectives arrived since the last improvement by 1% or more."""
    best, stale = None, 0
    for value in values:
        sign = 1 if objective.goal == "Maximize" else -1
        # With a best value of 0 the relative threshold is 0 too, and an equal value would count as
        # an improvement: hence the absolute one.
        if best is None or sign * (value - best) >= max(_IMPROVEMENT * abs(best), 1e-12):
            best, stale = value, 0  # an improvement starts the count again
        else:
            stale += 1
    return stale


def failure(results: Sequence[TrialResult], *, over: bool) -> str | None:
    """Return why a tuning job has failed, in AWS's words; None while it may still succeed.

    `over` means that no other training job will start.
    """
    ended = [result for result in results if result.ended]
    # One objective is enough: failed trials beside it do not fail the tuning job.
    if any(result.value is not None for result in ended) or not ended:
        return None
    # Too early to judge: a running or later trial may still succeed.
    if len(ended) < _ATTEMPTS and not (over and len(ended) == len(results)):
        return None
    # The program ran to its end, so the regular expression of the metric is at fault.
    if any(result.job["TrainingJobStatus"] == "Completed" for result in ended):
        return (
            f"No objective metrics found after running {len(ended)} training jobs. Please ensure "
            "that the custom algorithm is emitting the objective metric as defined by the regular "
            "expression provided."
        )
    if len(ended) >= _ATTEMPTS:
        return (
            f"No training job succeeded after {len(ended)} attempts. Please take a look at the "
            "training job failures to get more details."
        )
    return (
        "All training jobs failed. Please take a look at the training job failures to get more "
        "details."
    )
