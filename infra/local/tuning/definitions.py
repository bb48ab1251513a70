"""What a tuning job's request says, in one form for one and for several training definitions.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import Document

__all__ = ["Objective", "TrainingDefinition", "training_definitions"]


@dataclass(frozen=True)
class Objective:
    """A metric and its direction, `Maximize` or `Minimize`."""

    metric: str
    goal: str

    def better(self, value: float, than: float) -> bool:
        """Whether `value` beats `than`; never for one that is not a number."""
        return value > than if self.goal == "Maximize" else value < than

    def best(self, values: Iterable[float]) -> float | None:
        """None when there are no values."""
        chooser = max if self.goal == "Maximize" else min
        return chooser(values, default=None)


@dataclass(frozen=True)
class TrainingDefinition:
    """One `TrainingJobDefinition` with its objective and ranges, wherever the request has them."""

    name: str | None
    objective: Objective | None
    ranges: Mapping[str, Any]
    training: Document

    @property
    def static(self) -> dict[str, str]:
        """The hyperparameters that are the same for all training jobs."""
        return dict(self.training.get("StaticHyperParameters") or {})


def training_definitions(request: Mapping[str, Any]) -> tuple[TrainingDefinition, ...]:
    """Of a request, or of a stored tuning job: both have the members under the same names."""
    config = request["HyperParameterTuningJobConfig"]
    trainings = request.get("TrainingJobDefinitions") or [request.get("TrainingJobDefinition")]
    return tuple(
        TrainingDefinition(
            name=training.get("DefinitionName"),
            objective=_objective(
                training.get("TuningObjective") or config.get("HyperParameterTuningJobObjective")
            ),
            ranges=training.get("HyperParameterRanges") or config.get("ParameterRanges") or {},
            training=training,
        )
        for training in trainings
        if training
    )


def _objective(given: Mapping[str, Any] | None) -> Objective | None:
    return None if given is None else Objective(given["MetricName"], given["Type"])
