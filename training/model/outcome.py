"""The outcome of training: whether its whole budget was used, or it ended early."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from longspan.training.fields import Fields

__all__ = ["TrainingOutcome", "early_lines", "read_training"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class TrainingOutcome:
    """How training ended, as a model directory says it; None for a figure it does not have."""

    # True if the budget was used up or validation no longer improved; False if a limit of time or
    # a stop ended training before.
    complete: bool | None = None
    reason: str | None = None
    updates: int | None = None
    tokens: int | None = None  # target tokens trained on

    @classmethod
    def read(cls, fields: Fields) -> "TrainingOutcome":
        """Read an outcome from the details of a model, or from `evaluation.json`.

        Raises ValueError for a value of another kind.
        """
        return cls(
            _optional(fields, "complete", fields.flag),
            _optional(fields, "reason", fields.text),
            _optional(fields, "updates", fields.integer),
            _optional(fields, "tokens", fields.integer),
        )

    @property
    def early_line(self) -> str | None:
        """One sentence if training ended early, else None."""
        return f"training ended early: {self.reason}" if self.complete is False else None


def read_training(document: Fields) -> dict[str, TrainingOutcome | None]:
    """Read `training` of `evaluation.json`: outcomes by system, None for a file of translations.

    A document without `training`, as earlier versions wrote, gives none. Raises ValueError for a
    damaged document.
    """
    if "training" not in document.values:
        return {}
    training = document.fields("training")
    return {
        name: None if training.value(name) is None else TrainingOutcome.read(training.fields(name))
        for name in training.values
    }


def early_lines(training: Mapping[str, TrainingOutcome | None]) -> Iterator[str]:
    """Yield a sentence for each system whose training ended early."""
    names = {"model": "model", "against": "baseline"}
    for key, name in names.items():
        outcome = training.get(key)
        if outcome is not None and outcome.early_line is not None:
            yield f"{name}: {outcome.early_line}"


def _optional(fields: Fields, name: str, read: Callable[[str], _T]) -> _T | None:
    return None if fields.values.get(name) is None else read(name)
