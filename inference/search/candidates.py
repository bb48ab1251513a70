"""The most probable tokens of each row of logits."""

import numpy as np
import torch
from torch import Tensor

from longspan.inference.search.spelling import Bars

__all__ = ["best_tokens"]

_BLOCK = 64
# With fewer blocks or rows, `topk` over the whole row is faster.
_LEAST_BLOCKS = 8
_LEAST_ROWS = 8


def best_tokens(logits: Tensor, count: int, bars: Bars | None = None) -> tuple[Tensor, Tensor]:
    """Return the log-probabilities and the tokens of the best of each row, both (rows, count).

    logits (rows, vocabulary); the log-probabilities are float32 or wider, best first. Tokens that
    `bars` forbid get -inf; their probability is not given to the others.

    On a CPU the vocabulary is read in blocks. The `count` best tokens lie in the `count` blocks
    with the best maxima, so only these blocks are read twice.
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
    closed = np.flatnonzero(table[:, -1])  # rows with no allowed token beyond the first `known`
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
        rest = places + (whole - count * _BLOCK)  # tokens after the last whole block
        tokens = torch.where(places >= count * _BLOCK, rest, tokens)
    return best, tokens


def _top(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    if count == 1:
        return x.max(dim=1, keepdim=True)
    return x.topk(count, dim=1)
