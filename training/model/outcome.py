"""The outcome of training: whether its whole budget was used, or it ended early."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from longspan.training.values import Count, JsonDocument

__all__ = ["TrainingOutcome", "early_lines", "read_training"]


class TrainingOutcome(JsonDocument):
    """How training ended, as a model directory says it; None for a figure it does not have."""

    # True if the budget was used up or validation no longer improved; False if a limit of time or
    # a stop ended training before.
    complete: bool | None = None
    reason: str | None = None
    updates: Count | None = None
    tokens: Count | None = None  # target tokens trained on

    @property
    def early_line(self) -> str | None:
        """One sentence if training ended early, else None."""
        return f"training ended early: {self.reason}" if self.complete is False else None


class _Trained(JsonDocument):
    training: dict[str, TrainingOutcome | None] = Field(default_factory=dict)


def read_training(document: Any) -> dict[str, TrainingOutcome | None]:
    """Read `training` of `evaluation.json`: outcomes by system, None for a file of translations.

    A document without `training`, as earlier versions wrote, gives none. Raises ValueError for a
    damaged document.
    """
    return _Trained.read(document).training


def early_lines(training: Mapping[str, TrainingOutcome | None]) -> Iterator[str]:
    """Yield a sentence for each system whose training ended early."""
    names = {"model": "model", "against": "baseline"}
    for key, name in names.items():
        outcome = training.get(key)
        if outcome is not None and outcome.early_line is not None:
            yield f"{name}: {outcome.early_line}"
