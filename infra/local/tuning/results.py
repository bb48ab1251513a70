"""A tuning job's results, read from the documents of its training jobs: counters and the best job.

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

_COUNTERS: Mapping[str, str] = {
    "Completed": "Completed",
    "Failed": "NonRetryableError",
    "Stopped": "Stopped",
}


@dataclass(frozen=True)
class TrialResult:
    """One training job, seen by the tuning job that started it."""

    job: Document
    objective: Objective

    @property
    def ended(self) -> bool:
        """Whether it has."""
        return self.job["TrainingJobStatus"] in TRAINING_ENDED

    @property
    def value(self) -> float | None:
        """The objective's last value, of a job that ended and did not fail; never a NaN."""
        if self.job["TrainingJobStatus"] not in ("Completed", "Stopped"):
            return None
        for metric in self.job.get("FinalMetricDataList") or ():
            if metric["MetricName"] == self.objective.metric and math.isfinite(metric["Value"]):
                return float(metric["Value"])
        return None

    @property
    def objective_status(self) -> str:
        """`Pending`, `Succeeded` or `Failed`."""
        if not self.ended:
            return "Pending"
        return "Failed" if self.value is None else "Succeeded"

    def summary(self) -> Document:
        """A `HyperParameterTrainingJobSummary`."""
        names = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingJobStatus")
        optional = ("TrainingStartTime", "TrainingEndTime", "FailureReason")
        more = ("TunedHyperParameters", "TrainingJobDefinitionName")
        kept = {
            name: self.job[name]
            for name in (*names, *optional, *more)
            if self.job.get(name) is not None
        }
        if self.value is not None:
            kept["FinalHyperParameterTuningJobObjectiveMetric"] = {
                "Type": self.objective.goal,
                "MetricName": self.objective.metric,
                "Value": self.value,
            }
        return {**kept, "ObjectiveStatus": self.objective_status}


def best_result(results: Iterable[TrialResult]) -> TrialResult | None:
    """The one with the best objective, the first of equals; None without any objective."""
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
    """`TrainingJobStatusCounters`; a job that is being stopped is still in progress."""
    found = Counter(
        _COUNTERS.get(result.job["TrainingJobStatus"], "InProgress") for result in results
    )
    names = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {name: found[name] for name in names}


def objective_counters(results: Sequence[TrialResult]) -> dict[str, int]:
    """`ObjectiveStatusCounters`."""
    found: Counter[Any] = Counter(result.objective_status for result in results)
    return {name: found[name] for name in ("Succeeded", "Pending", "Failed")}
