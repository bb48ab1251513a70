"""Additive attention for search: what a source needs is computed once, not at every step."""

import math
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FastAdditive", "exponential"]

_LIMIT = 20.0  # beyond it tanh is flat, and its exponential would grow too large


class FastAdditive(nn.Module):
    """Stands for an additive `Attention` in evaluation mode.

    tanh(q + k) = 1 - 2 / (1 + e^2q e^2k), whose 1 adds the same to every score. The keys that
    `keys_and_values` gives are e^2k.
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
        """(batch, source, memory) -> two (batch, heads, source, dimension / heads)."""
        keys = exponential(self._split(self.key(encoded)))
        return keys.contiguous(), self._split(self.value(encoded)).contiguous()

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """query (batch, heads, 1, d) -> (batch, heads, 1, source), but for what all have."""
        asked = exponential(query + self.bias)
        return (torch.addcmul(self.one, keys, asked).reciprocal_() @ self.v).transpose(2, 3)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """query (batch, 1, query size) -> (batch, heads, 1, source)."""
        return self.scores(self._split(self.query(query)), keys)

    def read(self, scores: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Context (batch, 1, dimension), weights."""
        weights = scores.masked_fill(~mask[:, None, None, :], -math.inf).softmax(-1)
        return (weights @ values).transpose(1, 2).flatten(2), weights

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """query (batch, 1, query size) -> context (batch, 1, dimension), weights."""
        return self.read(self.score(query, keys), values, mask)

    def _split(self, x: Tensor) -> Tensor:
        # (batch, length, dimension) -> (batch, heads, length, dimension / heads)
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def exponential(x: Tensor) -> Tensor:
    """e^2x, of x within the limit."""
    return x.clamp(-_LIMIT, _LIMIT).mul_(2).exp_()
