"""The budget of a study's jobs: the same for each, or the courses could not be compared."""

from longspan.pipelines.config import Config
from longspan.pipelines.config.training import own_names
from longspan.training.errors import HyperparameterError

__all__ = ["budget_text"]

_LIMITS = ("max_minutes", "max_num_batches", "max_num_epochs")


def budget_text(config: Config, minutes: float | None) -> str:
    """What each job may use, for a reader; `minutes` replace the config's `max_minutes`.

    Raises HyperparameterError where nothing ends a job but that it learns no more.
    """
    values = own_names(config.training.hyperparameters)
    if minutes is not None:
        values["max_minutes"] = minutes
    parts = [f"{name}={values[name]:g}" for name in _LIMITS if values.get(name)]
    if not parts:
        raise HyperparameterError(
            "expected the same budget for every job of the study, came none: give --minutes, or "
            f"{', '.join(_LIMITS)} in training.hyperparameters of the config"
        )
    return " and ".join(parts)
