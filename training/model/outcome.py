"""How the training of a model ended: with its whole budget used, or early."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from longspan.training.fields import Fields

__all__ = ["TrainingOutcome", "early_lines", "read_training"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class TrainingOutcome:
    """What a model directory says of the end of its training; None is what it does not say.

    `complete` is True where the budget was used up or nothing more was gained, and False where a
    limit of time or a stop came before.
    """

    complete: bool | None = None
    reason: str | None = None
    updates: int | None = None
    tokens: int | None = None  # target tokens trained on

    @classmethod
    def read(cls, fields: Fields) -> "TrainingOutcome":
        """From the details of a model, or from `evaluation.json`.

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
        """One sentence for the reader where training ended early, else None."""
        return f"training ended early: {self.reason}" if self.complete is False else None


def read_training(document: Fields) -> dict[str, TrainingOutcome | None]:
    """The `training` of `evaluation.json`: an ending, or None for a file of translations.

    Empty in a document of before it was added. Raises ValueError for a damaged one.
    """
    if "training" not in document.values:
        return {}
    training = document.fields("training")
    return {
        name: None if training.value(name) is None else TrainingOutcome.read(training.fields(name))
        for name in training.values
    }


def early_lines(training: Mapping[str, TrainingOutcome | None]) -> Iterator[str]:
    """A sentence for each system whose training ended early."""
    names = {"model": "model", "against": "baseline"}
    for key, name in names.items():
        ending = training.get(key)
        if ending is not None and ending.early_line is not None:
            yield f"{name}: {ending.early_line}"


def _optional(fields: Fields, name: str, read: Callable[[str], _T]) -> _T | None:
    return None if fields.values.get(name) is None else read(name)
