"""The outcome of training: whether its whole budget was used, and what chose the model."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from longspan.training.values import Count, JsonDocument

__all__ = ["TrainingOutcome", "outcome_warnings", "read_training"]


class TrainingOutcome(JsonDocument):
    """How training ended, as a model directory says it; None for a figure it does not have."""

    # True if the budget was used up or validation no longer improved; False if a limit of time or
    # a stop ended training before.
    complete: bool | None = None
    reason: str | None = None
    updates: Count | None = None
    tokens: Count | None = None  # target tokens trained on
    # The metric that was to choose the model, if it was 0 at every checkpoint: the loss chose it.
    zero_metric: str | None = None

    @property
    def early_line(self) -> str | None:
        """One sentence if training ended early, else None."""
        return f"training ended early: {self.reason}" if self.complete is False else None

    @property
    def warnings(self) -> list[str]:
        """Sentences for whoever reads the figures of the model; none if all is well."""
        lines = [self.early_line] if self.early_line is not None else []
        if self.zero_metric is not None:
            lines.append(
                f"validation {self.zero_metric} was 0 at every checkpoint, so the lowest "
                "validation loss chose the model; train longer, or check the words of BLEU"
            )
        return lines


class _Trained(JsonDocument):
    training: dict[str, TrainingOutcome | None] = Field(default_factory=dict)


def read_training(document: Any) -> dict[str, TrainingOutcome | None]:
    """Read `training` of `evaluation.json`: outcomes by system, None for a file of translations.

    A document without `training`, as earlier versions wrote, gives none. Raises ValueError for a
    damaged document.
    """
    return _Trained.read(document).training


def outcome_warnings(training: Mapping[str, TrainingOutcome | None]) -> Iterator[str]:
    """Yield sentences about systems whose training ended early, or whose metric was always 0."""
    names = {"model": "model", "against": "baseline"}
    for key, name in names.items():
        outcome = training.get(key)
        yield from (f"{name}: {line}" for line in (outcome.warnings if outcome else ()))
