"""Steps that depend on each other, run one by one with bounded memory for the gradient."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

__all__ = ["run_steps"]

# How many elements of (batch, source, dimension) tensors the steps between two stored states may
# keep for the gradient.
_KEPT_ELEMENTS = 2**25

_State = TypeVar("_State")
_Step = Callable[[Tensor, _State], tuple[Tensor, _State, Tensor]]


def run_steps(
    step: _Step[_State], inputs: Tensor, carried: _State, elements: int
) -> tuple[Tensor, _State, Tensor]:
    """Run `step` on each position of inputs (batch, target, ...), passing the state on.

    `step` maps (batch, 1, ...) and a state to an output (batch, 1, ...), the next state, and
    weights (batch, heads, 1, source). Outputs and weights are joined over the target.

    A step keeps about `elements` elements for its gradient. Where all steps together would keep
    too many, the target is split into segments. Only the state between two segments is stored, and
    the backward pass computes a segment again (Chen et al. 2016, "Training Deep Nets with
    Sublinear Memory Cost").
    """

    def segment(part: Tensor, before: _State) -> tuple[Tensor, _State, Tensor]:
        outputs, weights = [], []
        for position in part.split(1, dim=1):
            output, before, weight = step(position, before)
            outputs.append(output)
            weights.append(weight)
        return torch.cat(outputs, dim=1), before, torch.cat(weights, dim=2)

    # Steps of a segment; with one segment in all, nothing is computed twice.
    size = max(1, _KEPT_ELEMENTS // max(1, elements))
    if size >= inputs.shape[1] or not torch.is_grad_enabled():
        return segment(inputs, carried)
    outputs, weights = [], []
    for part in inputs.split(size, dim=1):
        output, carried, weight = checkpoint(segment, part, carried, use_reentrant=False)
        outputs.append(output)
        weights.append(weight)
    return torch.cat(outputs, dim=1), carried, torch.cat(weights, dim=2)
