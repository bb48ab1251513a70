"""Initial values of the weights, by the names of the built-in algorithm."""

import math

import torch
from torch import Tensor, nn

from longspan.training.hyperparameters import Hyperparameters

__all__ = ["initialize", "xavier_bound"]


def initialize(
    model: nn.Module, hyperparameters: Hyperparameters, generator: torch.Generator
) -> None:
    """Fill every parameter of `model` in place; the same seed gives the same values.

    Matrices and embeddings are uniform in (-b, b). b is `weight_init_scale` for `uniform`, and
    `xavier_bound` for `xavier`. Biases are 0, except 1 at the forget gate of an LSTM (Jozefowicz
    et al. 2015). Normalisation layers keep their values, and the embedding of PAD is 0.
    """
    # Reversed, so that a tied matrix is initialised as an embedding and not as the projection.
    modules = list(model.modules())
    owners = {id(p): module for module in reversed(modules) for p in module.parameters(False)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            owner = owners[id(parameter)]
            if isinstance(owner, nn.LayerNorm):
                continue
            if name.rpartition(".")[2].startswith("bias"):
                parameter.zero_()
                continue
            bound = _bound(parameter, owner, hyperparameters)
            parameter.uniform_(-bound, bound, generator=generator)
        for module in modules:
            _finish(module)


def xavier_bound(fan_in: float, fan_out: float, magnitude: float, factor_type: str) -> float:
    """Return the half-width of MXNet's Xavier distribution: sqrt(magnitude / fan).

    `factor_type` chooses the fan: `in`, `out` or `avg`. Glorot and Bengio 2010 use `avg` and a
    magnitude of 3.
    """
    fan = {"in": fan_in, "out": fan_out, "avg": (fan_in + fan_out) / 2}[factor_type]
    return math.sqrt(magnitude / fan)


def _bound(parameter: Tensor, owner: nn.Module, hyperparameters: Hyperparameters) -> float:
    scale = hyperparameters.weight_init_scale
    if hyperparameters.weight_init_type == "uniform":
        return scale
    fan_in = parameter.shape[-1]
    # An embedding selects one row, so the size of the vocabulary is not its fan. A vector counts
    # as a matrix of one row.
    lookup = isinstance(owner, nn.Embedding)
    fan_out = fan_in if lookup else parameter.shape[-2] if parameter.dim() > 1 else 1
    return xavier_bound(fan_in, fan_out, scale, hyperparameters.xavier_factor_type)


def _finish(module: nn.Module) -> None:
    if isinstance(module, nn.Embedding) and module.padding_idx is not None:
        module.weight[module.padding_idx].zero_()
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        for name, parameter in module.named_parameters():
            if name.startswith("bias_ih"):  # gates in the order input, forget, cell, output
                parameter[module.hidden_size : 2 * module.hidden_size].fill_(1.0)
