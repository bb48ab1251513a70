"""The best tokens of each row of logits, and what makes a logit a probability."""

import torch
from torch import Tensor

__all__ = ["best_token", "best_tokens"]

_BLOCK = 64
# Of fewer tokens the plain way is the faster one.
_LEAST_BLOCKS = 8
# Of fewer rows too.
_LEAST_ROWS = 8


def best_tokens(logits: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` best of each row, best first, and the logarithm of the sum of exponentials.

    logits (rows, vocabulary) -> logits and tokens (rows, count), normaliser (rows, 1). On a CPU
    the search is by blocks: the best tokens are in those blocks whose best is among the best of
    all blocks, so only these are read twice.
    """
    blocks = logits.shape[1] // _BLOCK
    if logits.device.type != "cpu":
        top, tokens = logits.topk(min(count, logits.shape[1]), dim=1)
        return top, tokens, logits.logsumexp(dim=1, keepdim=True)
    if len(logits) < _LEAST_ROWS or blocks < max(_LEAST_BLOCKS, count):
        top, tokens = logits.topk(min(count, logits.shape[1]), dim=1)
    else:
        top, tokens = _by_blocks(logits, blocks, count)
    # The fused kernel takes half the time of torch.logsumexp.
    chances = logits.log_softmax(dim=1).gather(1, tokens[:, :1])
    return top, tokens, top[:, :1] - chances


def best_token(chances: Tensor) -> tuple[Tensor, Tensor]:
    """The best of each row (rows, vocabulary): its value and its token, both (rows,)."""
    blocks = chances.shape[1] // _BLOCK
    if chances.device.type != "cpu" or len(chances) < _LEAST_ROWS or blocks < _LEAST_BLOCKS:
        best, tokens = chances.max(dim=1)
        return best, tokens
    best, tokens = _by_blocks(chances, blocks, 1)
    return best[:, 0], tokens[:, 0]


def _by_blocks(logits: Tensor, blocks: int, count: int) -> tuple[Tensor, Tensor]:
    whole = blocks * _BLOCK
    table = logits[:, :whole].unflatten(1, (blocks, _BLOCK))  # (rows, blocks, block)
    chosen = _top(table.amax(2), count)[1]  # (rows, count)
    rows = torch.arange(len(logits))[:, None]
    near = table[rows, chosen].flatten(1)  # (rows, count x block)
    if whole < logits.shape[1]:
        near = torch.cat([near, logits[:, whole:]], dim=1)
    top, places = _top(near, count)
    block = chosen.gather(1, (places // _BLOCK).clamp_(max=count - 1))
    tokens = block * _BLOCK + places % _BLOCK
    if whole < logits.shape[1]:
        rest = places - (count * _BLOCK - whole)  # of the tokens after the last whole block
        tokens = torch.where(places >= count * _BLOCK, rest, tokens)
    return top, tokens


def _top(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    if count == 1:
        return x.max(dim=1, keepdim=True)
    return x.topk(count, dim=1)
