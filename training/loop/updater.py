"""One update of the weights (loss, gradient, clipping, optimiser), and sums for the metrics."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from longspan.training.corpus.batches import Batch
from longspan.training.errors import CheckpointError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.distributed import World
from longspan.training.loop.optimizer import build_optimizer
from longspan.training.loop.precision import autocast, compute_type

__all__ = ["MODEL_PREFIX", "LossFunction", "Sums", "Updater", "load_weights", "model_weights"]

MODEL_PREFIX, _OPTIMIZER = "model.", "optimizer."


class LossFunction(Protocol):
    """The loss of a batch, see `loss.sequence_loss`."""

    def __call__(
        self,
        model: Any,
        batch: Any,
        hyperparameters: Hyperparameters,
        /,
        *,
        label_smoothing: float,
    ) -> Any:
        """Return sums over the target tokens of a batch, see `loss.LossSums`."""


@dataclass(frozen=True)
class Sums:
    """Negative log likelihood (nats) and correct tokens of `tokens` target tokens."""

    nll: float = 0.0
    correct: float = 0.0
    tokens: float = 0.0

    @property
    def values(self) -> tuple[float, float, float]:
        """The three sums in the order of a tensor of sums."""
        return self.nll, self.correct, self.tokens

    @property
    def loss(self) -> float:
        """Nats per target token."""
        return self.nll / max(self.tokens, 1.0)

    @property
    def perplexity(self) -> float:
        """exp of the loss, limited so that a diverged loss does not overflow."""
        return math.exp(min(self.loss, 700.0))

    @property
    def accuracy(self) -> float:
        """Share of target tokens that the model ranks first."""
        return self.correct / max(self.tokens, 1.0)

    def metrics(self, seconds: float) -> dict[str, float]:
        """Return metrics of training by name, for sums of `seconds` seconds."""
        return {
            "train:loss": self.loss,
            "train:perplexity": self.perplexity,
            "train:accuracy": self.accuracy,
            "train:tokens_per_second": self.tokens / max(seconds, 1e-9),
        }


class Updater:
    """A model with its optimiser. Sums stay on the device, so that updates do not wait for it."""

    def __init__(
        self,
        model: nn.Module,
        hyperparameters: Hyperparameters,
        loss: LossFunction,
        world: World,
        device: torch.device,
    ) -> None:
        self.model = model
        self._hyperparameters = hyperparameters
        self._loss = loss
        self._world = world
        self._device = device
        self._compute = compute_type(hyperparameters.precision, device)
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = build_optimizer(model, hyperparameters)
        self._health = torch.zeros((), device=device)
        self.recent = self.zeros()  # since the last line
        self.period = self.zeros()  # since the last validation

    def apply(self, batch: Batch | None, tokens: int, rate: float, updates: int) -> None:
        """Update on this rank's share of a global batch with `tokens` target tokens.

        `updates` is the number of updates before this one. Without a share, `batch` is None.
        """
        self.model.train()
        self._seed(updates)
        self._optimizer.clear_gradients()
        if batch is not None:
            self._backward(batch.to(self._device), tokens)
        # Ranks without a share add nothing, but must take part in the sum.
        self._world.add_gradients(self._parameters)
        # After the sum, so that all ranks scale by the same norm.
        norm = self._clip()
        # One value that is not finite makes the sum so, without waiting for the device.
        self._health = self._health + norm
        self._optimizer.step(rate)

    def is_finite(self) -> bool:
        """Return whether all losses and gradients so far were finite; wait for the device."""
        return bool(torch.isfinite(self._health).item())

    def zeros(self) -> Tensor:
        """Return a tensor of sums (3,) that are 0: nll, correct, tokens."""
        return torch.zeros(3, dtype=torch.float64, device=self._device)

    def total(self, sums: Tensor) -> Sums:
        """Add up a tensor of sums over all ranks; wait for the device."""
        return Sums(*self._world.add(sums).tolist())

    def tensors(self) -> dict[str, Tensor]:
        """Return weights and optimiser state for a checkpoint."""
        named = {f"{MODEL_PREFIX}{k}": v for k, v in model_weights(self.model).items()}
        state = self._optimizer.tensors()
        return named | {f"{_OPTIMIZER}{k}": v for k, v in state.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Load what `tensors` returned. Raises CheckpointError if it is of another model."""
        load_weights(self.model, _only(tensors, MODEL_PREFIX))
        self._optimizer.load(_only(tensors, _OPTIMIZER))

    def _backward(self, batch: Batch, tokens: int) -> None:
        smoothing = self._hyperparameters.label_smoothing
        with autocast(self._device, self._compute):
            sums = self._loss(self.model, batch, self._hyperparameters, label_smoothing=smoothing)
        # By the tokens of the global batch, so that gradients of ranks add up to its mean.
        (sums.loss / tokens).backward()
        counts = torch.stack([s.detach().double() for s in (sums.nll, sums.correct, sums.tokens)])
        self._health = self._health + sums.loss.detach()
        self.recent += counts
        self.period += counts

    def _clip(self) -> Tensor:
        """Scale the gradient to the largest norm (Pascanu et al. 2013); return its norm before."""
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        largest = self._hyperparameters.clip_gradient
        if largest:
            nn.utils.clip_grads_with_norm_(self._parameters, largest, norm)
        return norm

    def _seed(self, updates: int) -> None:
        """Seed dropout by (seed, update, rank), so that a resumed run draws the same numbers."""
        entropy = [self._hyperparameters.seed, updates, self._world.rank]
        torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0]))


def model_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return each parameter once, a tied one by its first name."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def load_weights(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy what `model_weights` returned into `model`.

    Raises CheckpointError if the tensors are those of another model.
    """
    own = model_weights(model)
    shapes = {name: list(value.shape) for name, value in own.items()}
    given = {name: list(value.shape) for name, value in tensors.items()}
    for name in sorted(shapes.keys() | given.keys()):
        if shapes.get(name) != given.get(name):
            raise CheckpointError(
                f"checkpoint: expected {name} of shape {shapes.get(name, 'none')}, got "
                f"{given.get(name, 'none')}; use the settings that the checkpoint was made with"
            )
    for name, value in tensors.items():
        own[name].copy_(value)


def _only(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
