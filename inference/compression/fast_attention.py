"""Additive attention for search: exponentials of the keys are computed once for each source."""

import math
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FastAdditive", "fast_attention", "keys_for_search"]

# With keys up to the first and a query clamped to the second, both exponentials fit a float32.
# Where a query was clamped, the sum of query and key is beyond 9.5, where tanh is 1 in float32.
_LARGEST_KEY, _LARGEST_QUERY = 34.0, 43.5


class FastAdditive(nn.Module):
    """An additive `Attention` in evaluation mode, for targets of length 1.

    tanh(q + k) = 1 - 2 / (1 + e^2q e^2k). The 1 adds the same number to every score of a row, and
    softmax does not change by that, so it is left out. Keys are those of `keys_for_search`.
    """

    has_weights = True

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.heads = attention.heads
        self.dimension = attention.dimension
        self.query = attention.query
        self.key = attention.key
        self.value = attention.value
        self.v = (-2 * attention.v.detach())[..., None]  # (heads, d, 1)
        self.bias = attention.bias.detach()  # (heads, 1, d)
        self.one = torch.ones(())

    def keys_and_values(self, encoded: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, source, memory) -> keys and values (batch, heads, source, dimension / heads)."""
        keys = keys_for_search(self._split(self.key(encoded)))
        return keys.contiguous(), self._split(self.value(encoded)).contiguous()

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """query (batch, heads, 1, d) -> (batch, heads, 1, source), less what all scores share."""
        asked = query + self.bias
        if keys.dtype == torch.float64:
            # The same r = 1 / (1 + e^2(q + k)), without an exponential that overflows.
            r = torch.sigmoid(-2 * (asked + keys)).float()
        else:
            asked = asked.clamp_(-_LARGEST_QUERY, _LARGEST_QUERY).mul_(2).exp_()
            r = torch.addcmul(self.one, keys, asked).reciprocal_()
        # (batch, heads, source, d) @ (heads, d, 1), then the source last.
        return (r @ self.v).transpose(2, 3)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """query (batch, 1, query size) -> (batch, heads, 1, source)."""
        return self.scores(self._split(self.query(query)), keys)

    def read(self, scores: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return context (batch, 1, dimension) and weights (batch, heads, 1, source)."""
        weights = scores.masked_fill(~mask[:, None, None, :], -math.inf).softmax(-1)
        # (batch, heads, 1, d) -> (batch, 1, heads x d)
        return (weights @ values).transpose(1, 2).flatten(2), weights

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """query (batch, 1, query size) -> context (batch, 1, dimension), weights."""
        return self.read(self.score(query, keys), values, mask)

    def _split(self, x: Tensor) -> Tensor:
        # (batch, length, dimension) -> (batch, heads, length, dimension / heads)
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def fast_attention(attention_type: str, attention: nn.Module) -> Any:
    """Return what stands for `attention` in search: a `FastAdditive`, or the module itself."""
    return FastAdditive(attention) if attention_type == "additive" else attention


def keys_for_search(keys: Tensor) -> Tensor:
    """Return e^2k in float32, or the keys themselves in float64 where one is too large for that."""
    if keys.numel() == 0 or bool(keys.abs().amax() <= _LARGEST_KEY):
        return (2 * keys).exp_()
    return keys.double()
