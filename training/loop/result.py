"""The result of a training run: the figures that are shown and stored with the model."""

from dataclasses import dataclass
from typing import Any

from longspan.training.loop.metrics import metrics_line
from longspan.training.loop.training_log import clock_text
from longspan.training.loop.validation import Validation
from longspan.training.model.outcome import TrainingOutcome

__all__ = ["TrainingResult"]


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended. The trained model then holds the best weights."""

    reason: str
    complete: bool  # False where `max_minutes` or a stop came before the budget was used up
    updates: int
    epochs: float
    seconds: float
    tokens: int  # target tokens trained on
    best: Validation  # of the best weights
    history: list[dict[str, Any]]  # metrics of each checkpoint
    zero_metric: str | None = None  # the optimized metric, if it was 0 at every checkpoint

    @property
    def outcome(self) -> TrainingOutcome:
        """The end of a training, in the form that the model directory stores."""
        return TrainingOutcome(
            complete=self.complete,
            reason=self.reason,
            updates=self.updates,
            tokens=self.tokens,
            zero_metric=self.zero_metric,
        )

    @property
    def tokens_per_second(self) -> float:
        """Target tokens over the whole time, with validation and saving."""
        return self.tokens / self.seconds if self.seconds else 0.0

    @property
    def details(self) -> dict[str, object]:
        """JSON values for the `details` of a model directory."""
        return {
            "reason": self.reason,
            "complete": self.complete,
            "updates": self.updates,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "tokens": self.tokens,
            "zero_metric": self.zero_metric,
            "metrics": self.best.metrics,
            "validation_loss_by_bucket": self.best.by_bucket,
        }

    @property
    def lines(self) -> list[str]:
        """The summary of a run for its log."""
        buckets = ", ".join(f"{name}: {loss:.3f}" for name, loss in self.best.by_bucket.items())
        return [
            f"validation loss by source words: {buckets}",
            self.best_line,
            f"{self.updates} updates, {self.epochs:.2f} epochs, {clock_text(self.seconds)}, "
            f"{self.tokens_per_second:.0f} target tokens a second",
            *self.outcome.warnings,
        ]

    @property
    def best_line(self) -> str:
        """The last line with metrics, which a tuner therefore takes as the job's own."""
        return f"best model: {metrics_line(self.best.metrics)}"
