"""Training definitions of a tuning job, in one form for a single one and for several.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import Document

__all__ = ["Objective", "TrainingDefinition", "training_definitions"]


@dataclass(frozen=True)
class Objective:
    """Objective metric with its direction, `Maximize` or `Minimize`."""

    metric: str
    goal: str

    def better(self, value: float, than: float) -> bool:
        """Return whether `value` is better than `than`; false for NaN."""
        return value > than if self.goal == "Maximize" else value < than

    def best(self, values: Iterable[float]) -> float | None:
        """Return the best value, None without values."""
        chooser = max if self.goal == "Maximize" else min
        return chooser(values, default=None)


@dataclass(frozen=True)
class TrainingDefinition:
    """One `TrainingJobDefinition`, with the objective and ranges that apply to it."""

    name: str | None
    objective: Objective | None
    ranges: Mapping[str, Any]
    training: Document

    @property
    def static(self) -> dict[str, str]:
        """Hyperparameters that are equal in all training jobs."""
        return dict(self.training.get("StaticHyperParameters") or {})


def training_definitions(request: Mapping[str, Any]) -> tuple[TrainingDefinition, ...]:
    """Return the definitions of a request or of a stored tuning job, which share members."""
    config = request["HyperParameterTuningJobConfig"]
    trainings = request.get("TrainingJobDefinitions") or [request.get("TrainingJobDefinition")]
    # With TrainingJobDefinitions, each definition has an objective and ranges of its own; a single
    # TrainingJobDefinition takes those of the tuning job's config.
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
