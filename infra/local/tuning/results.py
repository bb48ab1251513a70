"""Results of a tuning job, from the documents of its training jobs: counters and the best job.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobSummary.html
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import Document
from longspan.infra.local.tuning.definitions import Objective

__all__ = ["TRAINING_ENDED", "TrialResult", "best_result", "objective_counters", "status_counters"]

TRAINING_ENDED = frozenset({"Completed", "Failed", "Stopped"})

# Training jobs of the local cloud are not retried, so RetryableError stays 0.
_COUNTERS: Mapping[str, str] = {
    "Completed": "Completed",
    "Failed": "NonRetryableError",
    "Stopped": "Stopped",
}


@dataclass(frozen=True)
class TrialResult:
    """Result of one training job, with the objective of its tuning job."""

    job: Document
    objective: Objective

    @property
    def ended(self) -> bool:
        """Whether the training job has ended."""
        return self.job["TrainingJobStatus"] in TRAINING_ENDED

    @property
    def value(self) -> float | None:
        """Last value of the objective; None for a job that runs or failed, or for NaN."""
        # A job that was stopped early has an objective too, and may be the best one.
        if self.job["TrainingJobStatus"] not in ("Completed", "Stopped"):
            return None
        for metric in self.job.get("FinalMetricDataList") or ():
            if metric["MetricName"] == self.objective.metric and math.isfinite(metric["Value"]):
                return float(metric["Value"])
        return None

    @property
    def objective_status(self) -> str:
        """ObjectiveStatus: `Pending`, `Succeeded` or `Failed`."""
        if not self.ended:
            return "Pending"
        return "Failed" if self.value is None else "Succeeded"

    def summary(self) -> Document:
        """Return the `HyperParameterTrainingJobSummary`."""
        names = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingJobStatus")
        optional = ("TrainingStartTime", "TrainingEndTime", "FailureReason")
        more = ("TunedHyperParameters", "TrainingJobDefinitionName")
        summary = {
            name: self.job[name]
            for name in (*names, *optional, *more)
            if self.job.get(name) is not None
        }
        if self.value is not None:
            summary["FinalHyperParameterTuningJobObjectiveMetric"] = {
                "Type": self.objective.goal,
                "MetricName": self.objective.metric,
                "Value": self.value,
            }
        return {**summary, "ObjectiveStatus": self.objective_status}


def best_result(results: Iterable[TrialResult]) -> TrialResult | None:
    """Return the result with the best objective, the first among equals; None without any."""
    found: TrialResult | None = None
    for result in results:
        if result.value is not None and (
            found is None
            or found.value is None
            or result.objective.better(result.value, found.value)
        ):
            found = result
    return found


def status_counters(results: Sequence[TrialResult]) -> dict[str, int]:
    """Return `TrainingJobStatusCounters`; a stopping job counts as in progress."""
    found = Counter(
        _COUNTERS.get(result.job["TrainingJobStatus"], "InProgress") for result in results
    )
    names = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {name: found[name] for name in names}


def objective_counters(results: Sequence[TrialResult]) -> dict[str, int]:
    """Return `ObjectiveStatusCounters`."""
    found: Counter[Any] = Counter(result.objective_status for result in results)
    return {name: found[name] for name in ("Succeeded", "Pending", "Failed")}
