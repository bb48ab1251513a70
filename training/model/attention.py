"""Attention: pure functions `(query, keys, values, mask) -> (context, weights)` and their module.

    scores(query, keys)              one of five score functions, any number of heads
    weights = softmax(scores)        over the real source tokens
    context = weights @ values

Shapes, throughout: query (batch, heads, target, d), keys (batch, heads, source, d),
values (batch, heads, source, v), mask (batch, source) true at real tokens.
"""

import math

import torch
from torch import Tensor, nn

from longspan.training.model.additive_scores import additive_scores, at_least_float

__all__ = [
    "Attention",
    "FixedContext",
    "attend",
    "bilinear_scores",
    "build_attention",
    "dot_scores",
    "scaled_dot_scores",
]


def attend(
    scores: Tensor, values: Tensor, mask: Tensor, dropout: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Turn scores into weights, and average the values by them.

    scores (batch, heads, target, source) -> context (batch, heads, target, v) and
    weights (batch, heads, target, source), which sum to 1 over the source and are 0 at padding.
    `dropout` applies to the weights of the context only (Vaswani et al. 2017, section 5.4). The
    weights returned are those before dropout, as coverage and alignment need them.
    """
    scores = scores.masked_fill(~mask[:, None, None, :], -math.inf)
    weights = torch.softmax(scores, dim=-1, dtype=at_least_float(scores))
    dropped = torch.dropout(weights, dropout, dropout > 0)
    context = dropped.to(values.dtype) @ values
    return context, weights


def dot_scores(query: Tensor, keys: Tensor) -> Tensor:
    """q . k (Luong et al. 2015, equation 8, "dot")."""
    return query @ keys.transpose(-1, -2)


def scaled_dot_scores(query: Tensor, keys: Tensor) -> Tensor:
    """q . k / sqrt(d) (Vaswani et al. 2017, equation 1)."""
    return dot_scores(query * query.shape[-1] ** -0.5, keys)


def bilinear_scores(query: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
    """q' W k (Luong et al. 2015, equation 8, "general"); weight (heads, d, d)."""
    return dot_scores(query @ weight, keys)


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2), with scores of a subclass.

    `keys_and_values` runs once for a sentence, `forward` for any number of target positions.
    """

    has_weights = True

    def __init__(
        self, query_size: int, memory_size: int, dimension: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.heads = heads
        self.dimension = dimension
        self.dropout = dropout
        self.query = nn.Linear(query_size, dimension, bias=False)
        self.key = nn.Linear(memory_size, dimension, bias=False)
        self.value = nn.Linear(memory_size, dimension, bias=False)

    def keys_and_values(self, encoded: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, source, memory) -> two (batch, heads, source, dimension / heads)."""
        return self._split(self.key(encoded)), self._split(self.value(encoded))

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """query (batch, target, query size) -> context (batch, target, dimension) and weights
        (batch, heads, target, source)."""
        return self.read(self.score(query, keys), values, mask)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """query (batch, target, query size) -> scores (batch, heads, target, source), unmasked."""
        return self.scores(self._split(self.query(query)), keys)

    def read(self, scores: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return context and weights as `forward` does, for scores that were computed before."""
        context, weights = attend(scores, values, mask, self.dropout if self.training else 0.0)
        # (batch, heads, target, d) -> (batch, target, heads x d)
        return context.transpose(1, 2).flatten(2), weights

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """query by head (batch, heads, target, d) -> scores (batch, heads, target, source)."""
        raise NotImplementedError

    def _split(self, x: Tensor) -> Tensor:
        # (batch, length, dimension) -> (batch, heads, length, dimension / heads)
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class _Dot(Attention):
    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return dot_scores(query, keys)


class _ScaledDot(Attention):
    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return scaled_dot_scores(query, keys)


class _Bilinear(Attention):
    def __init__(
        self, query_size: int, memory_size: int, dimension: int, heads: int, dropout: float
    ) -> None:
        super().__init__(query_size, memory_size, dimension, heads, dropout)
        size = dimension // heads
        self.weight = nn.Parameter(torch.eye(size).repeat(heads, 1, 1))

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return bilinear_scores(query, keys, self.weight.to(query.dtype))


class _Additive(Attention):
    def __init__(
        self, query_size: int, memory_size: int, dimension: int, heads: int, dropout: float
    ) -> None:
        super().__init__(query_size, memory_size, dimension, heads, dropout)
        self.v = nn.Parameter(torch.empty(heads, dimension // heads))
        self.bias = nn.Parameter(torch.zeros(heads, 1, dimension // heads))
        nn.init.uniform_(self.v, -((dimension // heads) ** -0.5), (dimension // heads) ** -0.5)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return additive_scores(query + self.bias, keys, self.v)


class FixedContext(nn.Module):
    """No attention: every target position gets the same vector, the encoder's summary.

    This is the built-in algorithm's `rnn_attention_type=fixed`: Sutskever et al. 2014, with the
    vector fed at every step as in Cho et al. 2014. There is no alignment, so all weights are 0.
    """

    has_weights = False

    def __init__(self, memory_size: int, dimension: int) -> None:
        super().__init__()
        self.heads = 1
        self.dimension = dimension
        self.value = nn.Linear(memory_size, dimension, bias=False)

    def keys_and_values(self, encoded: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """Return empty keys (batch, 1, source, 0) and the one value (batch, 1, 1, dimension)."""
        keys = encoded.new_empty(encoded.shape[0], 1, encoded.shape[1], 0)
        return keys, self.value(summary)[:, None, None, :]

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the one value for every target position (batch, target, dimension), weights 0."""
        return self.read(self.score(query, keys), values, mask)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return zeros (batch, 1, target, source)."""
        batch, target = query.shape[:2]
        return query.new_zeros(batch, 1, target, keys.shape[2], dtype=torch.float32)

    def read(self, scores: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return context and weights as `forward` does; `scores` are the weights already."""
        return values.squeeze(1).expand(-1, scores.shape[2], -1), scores


_TYPES: dict[str, type[Attention]] = {
    "dot": _Dot,
    "scaled_dot": _ScaledDot,
    "bilinear": _Bilinear,
    "additive": _Additive,
}


def build_attention(
    attention_type: str,
    query_size: int,
    memory_size: int,
    dimension: int,
    heads: int,
    dropout: float,
) -> Attention | FixedContext:
    """Build the module of an `attention_type`, named as in `Hyperparameters`."""
    if attention_type == "none":
        return FixedContext(memory_size, dimension)
    return _TYPES[attention_type](query_size, memory_size, dimension, heads, dropout)
