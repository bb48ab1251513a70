"""Learning-rate schedules, by the built-in algorithm's names.

The `fixed_rate_*` ones follow Sockeye (Hieber et al. 2017), on which the built-in algorithm is
based: `fixed_rate_lr_half_life` checkpoints after the start, the rate is half of what it was.
"""

import math
from dataclasses import dataclass

from longspan.training.hyperparameters import Hyperparameters

__all__ = ["Plateau", "learning_rate", "schedule_progress"]


@dataclass(frozen=True)
class Plateau:
    """What `plateau_reduce` remembers: checkpoints without gain, and the factor so far."""

    waited: int = 0
    factor: float = 1.0

    def after_checkpoint(self, improved: bool, hyperparameters: Hyperparameters) -> "Plateau":
        """Lower the rate once `plateau_reduce_lr_threshold` checkpoints brought no gain."""
        if improved:
            return Plateau(0, self.factor)
        if self.waited + 1 < hyperparameters.plateau_reduce_lr_threshold:
            return Plateau(self.waited + 1, self.factor)
        return Plateau(0, self.factor * hyperparameters.plateau_reduce_lr_factor)


def learning_rate(
    hyperparameters: Hyperparameters, updates: int, progress: float, plateau: Plateau
) -> float:
    """The rate of the update that follows `updates` others.

    `progress` from 0 to 1 is how much of the training is over, see `schedule_progress`; only
    `cosine` looks at it (Loshchilov and Hutter 2017, without restarts). Every schedule starts
    with `lr_warmup_num_batches` updates whose rate rises linearly (Goyal et al. 2017, section 2.2).
    """
    base = hyperparameters.learning_rate
    rate = base * _decay(hyperparameters, updates, progress, plateau)
    warmup = hyperparameters.lr_warmup_num_batches
    return min(rate, base * (updates + 1) / warmup) if warmup else rate


def schedule_progress(
    hyperparameters: Hyperparameters, updates: int, epochs: float, minutes: float
) -> float:
    """How much of the training is over, from 0 to 1.

    Measured by the first of `max_num_batches`, `max_num_epochs` and `max_minutes` that is set,
    so that the clock decides only where nothing else does; 0 with no limit at all.
    """
    for spent, limit in (
        (updates, hyperparameters.max_num_batches),
        (epochs, hyperparameters.max_num_epochs),
        (minutes, hyperparameters.max_minutes),
    ):
        if limit:
            return min(spent / limit, 1.0)
    return 0.0


def _decay(
    hyperparameters: Hyperparameters, updates: int, progress: float, plateau: Plateau
) -> float:
    half_life = (
        hyperparameters.fixed_rate_lr_half_life * hyperparameters.checkpoint_frequency_num_batches
    )
    match hyperparameters.lr_scheduler_type:
        case "plateau_reduce":
            return plateau.factor
        case "fixed_rate_inv_t":
            return 1 / (1 + updates / half_life)
        case "fixed_rate_inv_sqrt_t":
            return 1 / math.sqrt(1 + 3 * updates / half_life)
        case "cosine":
            return (1 + math.cos(math.pi * progress)) / 2
        case _:
            return 1.0
