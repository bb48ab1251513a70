"""The most probable tokens of each row of logits."""

import numpy as np
import torch
from torch import Tensor

from longspan.inference.search.spelling import Bars

__all__ = ["best_tokens"]

_BLOCK = 64
# Of fewer tokens, or of fewer rows, the plain way is the faster one.
_LEAST_BLOCKS = 8
_LEAST_ROWS = 8


def best_tokens(logits: Tensor, count: int, bars: Bars | None = None) -> tuple[Tensor, Tensor]:
    """Logarithms of probabilities, in float32 or wider, and tokens, both (rows, count), best first.

    logits (rows, vocabulary); tokens that `bars` forbid get -inf, and no other one gets their
    share. On a CPU the search is by blocks: the best tokens are in those blocks whose best is among
    the best of all blocks, so only these are read twice.
    """
    chances = logits.log_softmax(1, dtype=torch.promote_types(logits.dtype, torch.float32))
    if bars is not None:
        _bar(chances, bars)
    count = min(count, chances.shape[1])
    blocks = chances.shape[1] // _BLOCK
    few = len(chances) < _LEAST_ROWS or blocks < max(_LEAST_BLOCKS, count)
    if few or chances.device.type != "cpu":
        return _top(chances, count)
    return _by_blocks(chances, blocks, count)


def _bar(chances: Tensor, bars: Bars) -> None:
    table = bars.table[bars.kinds]  # (rows, tokens + 1)
    known = min(table.shape[1] - 1, chances.shape[1])
    chances[:, :known] += torch.from_numpy(table[:, :known]).to(chances.device)
    closed = np.flatnonzero(table[:, -1])  # rows that may have no token from `known` on
    if len(closed):
        chances[torch.from_numpy(closed).to(chances.device), known:] = -torch.inf


def _by_blocks(chances: Tensor, blocks: int, count: int) -> tuple[Tensor, Tensor]:
    whole = blocks * _BLOCK
    table = chances[:, :whole].unflatten(1, (blocks, _BLOCK))  # (rows, blocks, block)
    chosen = _top(table.amax(2), count)[1]  # (rows, count)
    rows = torch.arange(len(chances))[:, None]
    near = table[rows, chosen].flatten(1)  # (rows, count x block)
    if whole < chances.shape[1]:
        near = torch.cat([near, chances[:, whole:]], dim=1)
    best, places = _top(near, count)
    block = chosen.gather(1, (places // _BLOCK).clamp_(max=count - 1))
    tokens = block * _BLOCK + places % _BLOCK
    if whole < chances.shape[1]:
        rest = places + (whole - count * _BLOCK)  # of the tokens after the last whole block
        tokens = torch.where(places >= count * _BLOCK, rest, tokens)
    return best, tokens


def _top(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    if count == 1:
        return x.max(dim=1, keepdim=True)
    return x.topk(count, dim=1)
