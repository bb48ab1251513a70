r"""Learning-rate schedules, by the names of the built-in algorithm.

    rate  |   /----\______            warm-up, then the schedule
          |  /            \_____
          | /                   \__
          +------------------------- updates

The schedules `fixed_rate_*` follow Sockeye (Hieber et al. 2017), on which the built-in algorithm is
based: `fixed_rate_lr_half_life` checkpoints after the start, the rate is half its initial value.
"""

import math
from dataclasses import dataclass

from longspan.training.hyperparameters import Hyperparameters

__all__ = ["Plateau", "learning_rate", "schedule_progress"]


@dataclass(frozen=True)
class Plateau:
    """The state of `plateau_reduce`."""

    waited: int = 0  # checkpoints in a row without gain, since the rate last fell
    factor: float = 1.0  # of the learning rate

    def after_checkpoint(self, improved: bool, hyperparameters: Hyperparameters) -> "Plateau":
        """Lower the factor after `plateau_reduce_lr_threshold` checkpoints without gain."""
        # With plateau_reduce_lr_threshold=3 and f for plateau_reduce_lr_factor:
        #
        #     checkpoint   1  2  3  4  5  6  7  8
        #     gain         +  +  -  -  -  -  -  -
        #     factor       1  1  1  1  f  f  f  f f
        if improved:
            return Plateau(0, self.factor)
        if self.waited + 1 < hyperparameters.plateau_reduce_lr_threshold:
            return Plateau(self.waited + 1, self.factor)
        return Plateau(0, self.factor * hyperparameters.plateau_reduce_lr_factor)


def learning_rate(
    hyperparameters: Hyperparameters, updates: int, progress: float, plateau: Plateau
) -> float:
    """Return the learning rate of the update that follows `updates` others.

    `progress`, 0 to 1, is how much of the training is over, see `schedule_progress`. Only `cosine`
    uses it (Loshchilov and Hutter 2017, without restarts). In every schedule the rate of the first
    `lr_warmup_num_batches` updates rises linearly (Goyal et al. 2017, section 2.2).
    """
    base = hyperparameters.learning_rate
    rate = base * _decay(hyperparameters, updates, progress, plateau)
    warmup = hyperparameters.lr_warmup_num_batches
    # The smaller of the two: the schedule runs from the first update, also below the warm-up. The
    # first update has a rate above 0, or its gradient would be wasted.
    return min(rate, base * (updates + 1) / warmup) if warmup else rate


def schedule_progress(
    hyperparameters: Hyperparameters, updates: int, epochs: float, minutes: float
) -> float:
    """Return how much of the training is over, 0 to 1; 0 without any limit.

    The first of `max_num_batches`, `max_num_epochs` and `max_minutes` that is set is the measure,
    so that the clock has an influence only if no other limit is set.
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
    # In updates: checkpoints x updates between two checkpoints.
    half_life = (
        hyperparameters.fixed_rate_lr_half_life * hyperparameters.checkpoint_frequency_num_batches
    )
    match hyperparameters.lr_scheduler_type:
        case "plateau_reduce":
            return plateau.factor
        case "fixed_rate_inv_t":
            return 1 / (1 + updates / half_life)  # 1/2 at the half-life
        case "fixed_rate_inv_sqrt_t":
            # 1/2 at the half-life, as sqrt(4) = 2.
            return 1 / math.sqrt(1 + 3 * updates / half_life)
        case "cosine":
            return (1 + math.cos(math.pi * progress)) / 2
        case _:
            return 1.0
