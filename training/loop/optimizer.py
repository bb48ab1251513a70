"""Optimisers by their hyperparameter names, and their state as plain tensors.

The optimiser classes of torch import its compiler, which takes each training process more than a
second of CPU time and is not used here. The functions that these classes call do not import it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from longspan.training.hyperparameters import Hyperparameters

__all__ = ["Optimizer", "build_optimizer"]

Tensors = list[Tensor]
_StateColumns = Mapping[str, Tensors]  # each name of the state, for all parameters of an update


@dataclass(frozen=True)
class _UpdateRule:
    """How an optimiser changes parameters and their state, both in place.

    `update` takes parameters, gradients, their state, the learning rate and the weight decay.
    """

    # Names of a parameter's state: `step` is a scalar, all others have the parameter's shape.
    names: tuple[str, ...]
    update: Callable[[Tensors, Tensors, _StateColumns, float, float], None]


class Optimizer:
    """An optimiser of parameters, by an update rule.

    Weight decay applies to matrices, not to biases and other vectors. A parameter gets its state
    with its first gradient.
    """

    def __init__(self, parameters: Sequence[Tensor], rule: _UpdateRule, decay: float) -> None:
        # The order in which a checkpoint numbers parameters.
        self._matrices = [p for p in parameters if p.dim() > 1]
        self._vectors = [p for p in parameters if p.dim() <= 1]
        self._rule = rule
        self._decay = decay
        self._states: dict[int, dict[str, Tensor]] = {}

    def clear_gradients(self) -> None:
        """Forget all gradients."""
        for parameter in self._matrices + self._vectors:
            parameter.grad = None

    def step(self, rate: float) -> None:
        """Apply one update at this learning rate."""
        self._update(0, self._matrices, rate, self._decay)
        # Vectors are numbered after all matrices.
        self._update(len(self._matrices), self._vectors, rate, 0.0)

    def tensors(self) -> dict[str, Tensor]:
        """Return the state as `PARAMETER.NAME`; settings are rebuilt from the hyperparameters."""
        return {
            f"{index}.{name}": value
            for index, state in self._states.items()
            for name, value in state.items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Load what `tensors` returned for an optimiser of the same parameters."""
        self._states.clear()
        parameters = self._matrices + self._vectors
        for key, value in tensors.items():
            index, name = key.split(".", 1)
            self._state(int(index), parameters[int(index)])[name].copy_(value)

    def _state(self, index: int, parameter: Tensor) -> dict[str, Tensor]:
        if index not in self._states:
            shapes = {name: () if name == "step" else parameter.shape for name in self._rule.names}
            self._states[index] = {
                name: torch.zeros(shape, device=parameter.device) for name, shape in shapes.items()
            }
        return self._states[index]

    def _update(self, first: int, parameters: Tensors, rate: float, decay: float) -> None:
        used = {n: p for n, p in enumerate(parameters, first) if p.grad is not None}
        if not used:
            return
        states = [self._state(index, parameter) for index, parameter in used.items()]
        # By name instead of by parameter, as torch's functions take the state.
        columns = {name: [state[name] for state in states] for name in self._rule.names}
        gradients = [p.grad for p in used.values() if p.grad is not None]
        with torch.no_grad():
            self._rule.update(list(used.values()), gradients, columns, rate, decay)


def build_optimizer(model: nn.Module, hyperparameters: Hyperparameters) -> Optimizer:
    """Build the optimiser that `optimizer_type` names.

    `adam` (Kingma and Ba 2015) with decoupled decay (AdamW: Loshchilov and Hutter 2019), `sgd`
    with momentum (Polyak 1964) or `rmsprop` (Tieleman and Hinton 2012), also with momentum.
    """
    momentum = hyperparameters.momentum
    buffer = ("momentum_buffer",) if momentum else ()
    rules = {
        "adam": _UpdateRule(("step", "exp_avg", "exp_avg_sq"), _adam),
        "sgd": _UpdateRule(buffer, partial(_sgd, momentum)),
        "rmsprop": _UpdateRule(("step", "square_avg", *buffer), partial(_rmsprop, momentum)),
    }
    return Optimizer(
        [p for p in model.parameters() if p.requires_grad],
        rules[hyperparameters.optimizer_type],
        hyperparameters.weight_decay,
    )


def _adam(
    parameters: Tensors, gradients: Tensors, state: _StateColumns, rate: float, decay: float
) -> None:
    adamw(
        parameters,
        gradients,
        state["exp_avg"],
        state["exp_avg_sq"],
        [],
        state["step"],
        fused=True,  # one kernel instead of a dozen passes over the parameters, on CPU too
        amsgrad=False,
        beta1=0.9,
        beta2=0.999,
        lr=rate,
        weight_decay=decay,
        eps=1e-8,
        maximize=False,
    )


def _sgd(
    momentum: float,
    parameters: Tensors,
    gradients: Tensors,
    state: _StateColumns,
    rate: float,
    decay: float,
) -> None:
    sgd(
        parameters,
        gradients,
        [*state["momentum_buffer"]] if momentum else [None] * len(parameters),
        fused=True,
        weight_decay=decay,
        momentum=momentum,
        lr=rate,
        dampening=0.0,  # a first buffer of zeros becomes the gradient, as in torch's own class
        nesterov=False,
        maximize=False,
    )


def _rmsprop(
    momentum: float,
    parameters: Tensors,
    gradients: Tensors,
    state: _StateColumns,
    rate: float,
    decay: float,
) -> None:
    rmsprop(
        parameters,
        gradients,
        state["square_avg"],
        [],
        state["momentum_buffer"] if momentum else [],
        state["step"],
        foreach=True,
        lr=rate,
        alpha=0.99,
        eps=1e-8,
        weight_decay=decay,
        momentum=momentum,
        centered=False,
    )
