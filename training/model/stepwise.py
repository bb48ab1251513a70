"""Steps that wait for each other: run one by one, with activations kept for a part at a time."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

__all__ = ["run_steps"]

# What the steps between two stored states may keep for the gradient, in elements of the
# (batch, source, dimension) tensors that each of them makes.
_KEPT_ELEMENTS = 2**25

_State = TypeVar("_State")
_Step = Callable[[Tensor, _State], tuple[Tensor, _State, Tensor]]


def run_steps(
    step: _Step[_State], inputs: Tensor, carried: _State, elements: int
) -> tuple[Tensor, _State, Tensor]:
    """`step` on each position of inputs (batch, target, ...), handing `carried` on.

    `step` maps (batch, 1, ...) and what is carried to an output (batch, 1, ...), what is carried
    next, and weights (batch, heads, 1, source). Outputs and weights are joined over the target.
    A step keeps about `elements` elements for its gradient; where all of them together would
    be too many, only what is carried between segments is stored and the rest is computed again
    (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
    """

    def segment(part: Tensor, before: _State) -> tuple[Tensor, _State, Tensor]:
        outputs, weights = [], []
        for position in part.split(1, dim=1):
            output, before, weight = step(position, before)
            outputs.append(output)
            weights.append(weight)
        return torch.cat(outputs, dim=1), before, torch.cat(weights, dim=2)

    size = max(1, _KEPT_ELEMENTS // max(1, elements))
    if size >= inputs.shape[1] or not torch.is_grad_enabled():
        return segment(inputs, carried)
    outputs, weights = [], []
    for part in inputs.split(size, dim=1):
        output, carried, weight = checkpoint(segment, part, carried, use_reentrant=False)
        outputs.append(output)
        weights.append(weight)
    return torch.cat(outputs, dim=1), carried, torch.cat(weights, dim=2)
