"""The budget of a study's jobs: the same for each, or the courses could not be compared."""

from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.config.training import own_names
from longspan.pipelines.cost import (
    LOW_SHARE,
    CostRange,
    cost_of,
    evaluation_jobs,
    preparation_jobs,
    training_jobs,
)
from longspan.training.errors import HyperparameterError

__all__ = ["budget_text", "study_cost"]

_LIMITS = ("max_minutes", "max_num_batches", "max_num_epochs")


def budget_text(config: Config, minutes: float | None) -> str:
    """What each job may use, for a reader; `minutes` replace the config's `max_minutes`.

    Raises HyperparameterError where nothing ends a job but that it learns no more.
    """
    values = _limits(config, minutes)
    parts = [f"{name}={values[name]:g}" for name in _LIMITS if values.get(name)]
    if not parts:
        raise HyperparameterError(
            "expected the same budget for every job of the study, came none: give --minutes, or "
            f"{', '.join(_LIMITS)} in training.hyperparameters of the config"
        )
    return " and ".join(parts)


def study_cost(config: Config, models: int, minutes: float | None) -> CostRange:
    """What a study of so many models may cost: both preparations, then two jobs for each.

    A job that has its minutes takes them at least.
    """
    limit, own = config.training.max_runtime_minutes, _limits(config, minutes).get("max_minutes")
    low_share = min(1.0, own / limit) if own else LOW_SHARE
    jobs = (
        preparation_jobs(config, "Prepare"),
        preparation_jobs(config, "PrepareNgrams"),
        training_jobs(config, "Train", models, models * limit, low_share),
        evaluation_jobs(config, "Evaluate", models),
    )
    return cost_of(jobs, config)


def _limits(config: Config, minutes: float | None) -> dict[str, Any]:
    values = own_names(config.training.hyperparameters)
    return values if minutes is None else {**values, "max_minutes": minutes}
