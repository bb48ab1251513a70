"""The state of a training run besides its tensors, which a checkpoint stores as JSON."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.schedule import Plateau

__all__ = [
    "TrainingState", "complete_reason", "end_reason", "improves", "progress_text", "share_done",
]  # fmt: skip


@dataclass
class TrainingState:
    """The one mutable record of a run."""

    epoch: int = 0  # current epoch, counted from 0
    batch: int = 0  # next batch of the epoch, counted from 0
    epoch_batches: int = 0  # batches of the current epoch, 0 before it began
    updates: int = 0
    tokens: int = 0  # target tokens trained on
    seconds: float = 0.0  # over all resumed parts
    cpu_seconds: float = 0.0  # over all resumed parts, of all threads of this process
    rate: float = 0.0  # learning rate of the last update
    plateau: Plateau = field(default_factory=Plateau)
    best: float | None = None  # of the optimized metric
    best_loss: float | None = None  # of the same checkpoint
    best_updates: list[int] = field(default_factory=list)  # of the last checkpoints with a gain
    without_gain: int = 0  # checkpoints since the last gain
    validated_at: int = 0  # updates at the last validation
    period_from: float = 0.0  # seconds at the end of the last validation
    recent: list[float] = field(default_factory=list)  # sums since the last line
    period: list[float] = field(default_factory=list)  # sums since the last validation
    history: list[dict[str, Any]] = field(default_factory=list)  # metrics of each checkpoint

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingState":
        """Read what `to_dict` returned."""
        return cls(**{**values, "plateau": Plateau(**values["plateau"])})

    @property
    def epochs(self) -> float:
        """Epochs that are done, with the part of the current one."""
        return self.epoch + (self.batch / self.epoch_batches if self.epoch_batches else 0.0)

    @property
    def metric_is_zero(self) -> bool:
        """Whether the optimized metric was 0 at every checkpoint, so that the loss chose."""
        return self.best == 0

    def is_gain(self, metric: str, value: float, loss: float) -> bool:
        """Return whether a validation is better than the best one so far.

        Of two with a metric of 0, such as BLEU early in training, the one with the lower loss is.
        """
        if value == 0 and self.metric_is_zero and self.best_loss is not None:
            return loss < self.best_loss
        return improves(metric, value, self.best)

    def judge(self, value: float, loss: float, hyperparameters: Hyperparameters) -> bool:
        """Record optimized metric and loss of a validation now; return whether it is a gain."""
        h = hyperparameters
        improved = self.is_gain(h.optimized_metric, value, loss)
        if improved:
            self.best, self.best_loss, self.without_gain = value, loss, 0
            # Grows at a gain only, so the last one is the best.
            self.best_updates = [*self.best_updates, self.updates][-h.average_checkpoints :]
        else:
            self.without_gain += 1
        self.plateau = self.plateau.after_checkpoint(improved, h)
        self.validated_at = self.updates
        return improved

    def record(self, metrics: Mapping[str, Any]) -> None:
        """Add an entry to the history."""
        names = ("updates", "epochs", "seconds", "cpu_seconds", "tokens")
        place = {name: getattr(self, name) for name in names}
        self.history.append(place | dict(metrics))


def improves(metric: str, value: float, best: float | None) -> bool:
    """Return whether `value` of an `optimized_metric` is better than `best`.

    Perplexity is better if lower, all other metrics if higher.
    """
    if best is None:
        return True
    return value < best if metric == "perplexity" else value > best


def share_done(state: TrainingState, hyperparameters: Hyperparameters) -> float | None:
    """Return how much of the run is over, by the limit reached first; None without a limit."""
    limits = (
        (state.updates, hyperparameters.max_num_batches),
        (state.epochs, hyperparameters.max_num_epochs),
        (state.seconds / 60, hyperparameters.max_minutes),
    )
    return max((spent / limit for spent, limit in limits if limit), default=None)


def end_reason(state: TrainingState, hyperparameters: Hyperparameters) -> str | None:
    """Return why training is over, or None if it is not."""
    h = hyperparameters
    if (reason := complete_reason(state, h)) is not None:
        return reason
    if h.max_minutes and state.seconds >= 60 * h.max_minutes:
        return f"max_minutes={h.max_minutes:g} was reached after {progress_text(state, h)}"
    return None


def complete_reason(state: TrainingState, hyperparameters: Hyperparameters) -> str | None:
    """Return why a run is complete: its budget is used, or there is no more gain; else None.

    A run that `max_minutes` ends is not complete.
    """
    h = hyperparameters
    if h.max_num_epochs is not None and state.epoch >= h.max_num_epochs:
        return f"max_num_epochs={h.max_num_epochs} reached"
    if h.max_num_batches is not None and state.updates >= h.max_num_batches:
        return f"max_num_batches={h.max_num_batches} reached"
    if state.without_gain >= h.checkpoint_threshold and state.epoch >= h.min_num_epochs:
        return f"no gain in {h.optimized_metric} for {state.without_gain} checkpoints"
    return None


def progress_text(state: TrainingState, hyperparameters: Hyperparameters) -> str:
    """Return how far a run is, for example `534 of 900 updates`."""
    h = hyperparameters
    parts = [f"{state.updates:,} updates"]
    if h.max_num_batches is not None:
        parts = [f"{state.updates:,} of {h.max_num_batches:,} updates"]
    if h.max_num_epochs is not None:
        parts.append(f"{state.epochs:.2f} of {h.max_num_epochs} epochs")
    return " and ".join(parts)
