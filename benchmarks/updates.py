"""One training update, as both benchmarks measure it."""

from collections.abc import Callable

import torch

from longspan.training.batches import Batch
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loss import sequence_loss
from longspan.training.model import Model

__all__ = ["updater"]


def updater(
    model: Model, hyperparameters: Hyperparameters, precision: str
) -> Callable[[Batch], None]:
    """A function that trains `model` on one batch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=hyperparameters.learning_rate)
    device = next(model.parameters()).device
    model.train()

    def update(batch: Batch) -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
            sums = sequence_loss(
                model,
                batch.to(device),
                hyperparameters,
                label_smoothing=hyperparameters.label_smoothing,
            )
        (sums.loss / sums.tokens).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), hyperparameters.clip_gradient)
        optimizer.step()

    return update
