"""The budget of a study's jobs: the same number of target tokens for each course."""

import math
from dataclasses import dataclass
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.config.training import own_names
from longspan.pipelines.estimate.cost import (
    CostRange,
    billed_evaluation,
    billed_preparation,
    billed_training,
    cost_of,
)
from longspan.pipelines.study.courses import Course
from longspan.training.errors import HyperparameterError

__all__ = ["Budget", "study_cost"]


@dataclass(frozen=True)
class Budget:
    """Limits of each job: updates or epochs, and `minutes` as a safety net (0 means no limit).

    A course with larger batches gets fewer updates, so that all train on equally many target
    tokens. A limit of time would not be fair: a larger network, or a busy machine, would read less
    text.
    """

    updates: int | None
    epochs: int | None
    minutes: float

    @classmethod
    def of(
        cls, config: Config, updates: int | None = None, minutes: float | None = None
    ) -> "Budget":
        """Return the budget of the config's training jobs; `updates` and `minutes` replace theirs.

        Raises HyperparameterError if neither updates nor epochs limit a job.
        """
        own = own_names(config.training.hyperparameters)
        epochs = own.get("max_num_epochs") if updates is None else None
        updates = own.get("max_num_batches") if updates is None else updates
        if updates is None and epochs is None:
            raise HyperparameterError(
                "expected a number of updates for every job of the study, got none: give "
                "--updates, or max_num_batches or max_num_epochs in training.hyperparameters"
            )
        return cls(updates, epochs, own.get("max_minutes", 0.0) if minutes is None else minutes)

    def hyperparameters(self, course: Course) -> dict[str, Any]:
        """Return the hyperparameters that limit a job of this course."""
        updates = None if self.updates is None else math.ceil(self.updates / course.batches)
        return {
            "max_num_batches": updates,
            "max_num_epochs": self.epochs,
            "max_minutes": self.minutes,
        }

    def __str__(self) -> str:
        parts = []
        if self.updates is not None:
            parts.append(f"max_num_batches={self.updates} (fewer of larger batches)")
        if self.epochs is not None:
            parts.append(f"max_num_epochs={self.epochs}")
        net = f", at most {self.minutes:g} minutes" if self.minutes else ""
        return " and ".join(parts) + net


def study_cost(config: Config, models: int) -> CostRange:
    """Return the cost of a study of `models` models: two preparations, then two jobs per model."""
    limit = config.training.max_runtime_minutes
    jobs = (
        billed_preparation(config, "Prepare"),
        billed_preparation(config, "PrepareNgrams"),
        billed_training(config, "Train", models, models * limit),
        billed_evaluation(config, "Evaluate", models),
    )
    return cost_of(jobs, config)
