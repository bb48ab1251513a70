"""Runs that did not learn: a loss that is not finite, or no lower than that of a uniform guess."""

import math
from pathlib import Path

from longspan.training.errors import LongspanError
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["check_learned", "diverged", "has_learned", "late_divergence"]


def has_learned(loss: float, vocabulary_size: int) -> bool:
    """Return whether a loss is lower than that of a uniform guess; False for NaN.

    `loss` is in nats per target token, `vocabulary_size` the number of target tokens.
    """
    return loss < math.log(vocabulary_size)


def check_learned(
    loss: float, vocabulary_size: int, updates: int, hyperparameters: Hyperparameters
) -> None:
    """Raise LongspanError where the best model of a run is no better than a uniform guess."""
    if has_learned(loss, vocabulary_size):
        return
    raise LongspanError(
        f"expected a validation loss below {math.log(vocabulary_size):.3f}, that of a uniform "
        f"guess over {vocabulary_size:,} target tokens, got {loss:.4g} after update {updates}, the "
        f"best of this run; {_advice(hyperparameters)}, or train for more updates"
    )


def late_divergence(updates: int, hyperparameters: Hyperparameters) -> str:
    """Return a line for a run that diverged after its best checkpoint, which had learned."""
    return (
        "note: the last validation loss is no lower than that of a uniform guess: the run "
        f"diverged; the model is that of update {updates}; for a better one, "
        f"{_advice(hyperparameters)}"
    )


def diverged(updates: int, hyperparameters: Hyperparameters, checkpoints: Path) -> LongspanError:
    """Return the error of a run whose loss is no longer a finite number."""
    return LongspanError(
        f"expected a finite loss, got none after update {updates}; {_advice(hyperparameters)}, or "
        f"set precision=fp32; the checkpoints in {checkpoints} are older and intact"
    )


def _advice(hyperparameters: Hyperparameters) -> str:
    h = hyperparameters
    return (
        f"lower learning_rate={h.learning_rate:g}, lengthen "
        f"lr_warmup_num_batches={h.lr_warmup_num_batches}, keep clip_gradient="
        f"{h.clip_gradient:g} between 0.1 and 5"
    )
