"""Optimisers by their hyperparameter names, and their state as plain tensors."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from longspan.training.hyperparameters import Hyperparameters

__all__ = ["build_optimizer", "load_optimizer_tensors", "optimizer_tensors", "set_rate"]


def build_optimizer(model: nn.Module, hyperparameters: Hyperparameters) -> torch.optim.Optimizer:
    """`adam` (Kingma and Ba 2015) with decoupled decay (AdamW: Loshchilov and Hutter 2019), `sgd`
    with momentum (Polyak 1964) or `rmsprop` (Tieleman and Hinton 2012), also with momentum.

    `weight_decay` falls on matrices, not on biases and other vectors. The learning rate is set
    before each update with `set_rate`.
    """
    decay = hyperparameters.weight_decay
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate, momentum = hyperparameters.learning_rate, hyperparameters.momentum
    if hyperparameters.optimizer_type == "adam":
        # One fused kernel instead of a dozen passes over the parameters, on CPU too.
        return torch.optim.AdamW(groups, lr=rate, fused=True)
    if hyperparameters.optimizer_type == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=momentum, fused=True)
    return torch.optim.RMSprop(groups, lr=rate, momentum=momentum, foreach=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next update."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state as `PARAMETER.NAME` tensors; settings are rebuilt from the hyperparameters."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": value
        for index, values in state.items()
        for name, value in values.items()
        if torch.is_tensor(value)
    }


def load_optimizer_tensors(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`, into an optimiser for the same parameters."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
