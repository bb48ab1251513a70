"""Attention: pure functions `(query, keys, values, mask) -> (context, weights)` and their module.

    scores(query, keys)              one of five score functions, any number of heads
    weights = softmax(scores)        over the real source tokens
    context = weights @ values

Shapes, throughout: query (batch, heads, target, d), keys (batch, heads, source, d),
values (batch, heads, source, v), mask (batch, source) true at real tokens.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "Attention",
    "FixedContext",
    "additive_scores",
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
    weights = torch.softmax(scores, dim=-1, dtype=_at_least_float(scores))
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


def additive_scores(query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
    """v . tanh(q + k) (Bahdanau et al. 2015, appendix A.1.2); v (heads, d).

    The sum of shape (batch, heads, target, source, d) is never whole in memory. It is computed and
    reduced piece by piece, and computed again for the gradient.
    """
    dtype = _at_least_float(query)
    wide = (query.to(dtype), keys.to(dtype), v.to(dtype))
    return _AdditiveScores.apply(*wide)  # type: ignore[no-untyped-call]


class _AdditiveScores(torch.autograd.Function):
    """Additive scores by the identity tanh(q + k) = 1 - 2 r with r = 1 / (1 + e^2q e^2k).

    The exponentials are taken of q and of k, which are small tensors. The large tensor then needs
    one product and one reciprocal for each element, several times faster on a CPU than a tanh.
    Where a float cannot hold an exponential, r is computed from q + k.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
        reciprocals, left, right = _factors(query, keys)
        ctx.reciprocals = reciprocals
        ctx.save_for_backward(v, left, right)
        scores = query.new_empty(*query.shape[:3], keys.shape[2])
        for rows, heads, steps in _pieces(left, right):
            r = reciprocals(left[rows, heads, steps], right[rows, heads])
            total = v[heads].sum(-1)[:, None, None]  # (heads, 1, 1)
            part = torch.matmul(r, v[heads][:, None, :, None]).squeeze(-1)
            scores[rows, heads, steps] = total - 2 * part
        return scores

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        (d_scores,) = gradients
        v, left, right = ctx.saved_tensors
        d_query, d_keys, d_v = (torch.zeros_like(x) for x in (left, right, v))
        for rows, heads, steps in _pieces(left, right):
            r = ctx.reciprocals(left[rows, heads, steps], right[rows, heads])
            d = d_scores[rows, heads, steps, None, :]  # (batch, heads, target, 1, source)
            d_v[heads] += d.sum((0, 2, 4)) - 2 * torch.matmul(d, r).sum((0, 2, 3))
            # d tanh = 1 - tanh^2 = 4 r (1 - r); the common factor 4 v is applied at the end
            slope = torch.addcmul(r, r, r, value=-1)
            d_query[rows, heads, steps] += torch.matmul(d, slope).squeeze(3)
            _add_over_target(d_keys[rows, heads], slope, d.transpose(-1, -2))
        factor = 4 * v[:, None, :]
        return d_query * factor, d_keys * factor, d_v


def _add_over_target(total: Tensor, slope: Tensor, d: Tensor) -> None:
    """Add the sum over target of slope times d to total (batch, heads, source, d), in place."""
    if slope.shape[2] == 1:
        total.addcmul_(slope.squeeze(2), d.squeeze(2))
    else:
        total.add_(slope.mul_(d).sum(2))


Reciprocals = Callable[[Tensor, Tensor], Tensor]


def _factors(query: Tensor, keys: Tensor) -> tuple[Reciprocals, Tensor, Tensor]:
    """Choose how to compute r: from e^2q and e^2k where no float overflows, else from q and k.

    Returns the function and its two arguments. The product of two exponentials may still be
    infinite or 0, which gives the right limits of r: 0 or 1.
    """
    exp_query, exp_keys = (2 * query).exp_(), (2 * keys).exp_()
    if _are_normal(exp_query) and _are_normal(exp_keys):
        return _of_exponentials, exp_query, exp_keys
    return _of_values, query, keys


def _are_normal(x: Tensor) -> bool:
    """Whether all numbers of a positive tensor are finite and have the type's full precision."""
    limits = torch.finfo(x.dtype)
    return x.numel() == 0 or bool((x.amin() >= limits.tiny) & (x.amax() <= limits.max))


def _of_exponentials(exp_query: Tensor, exp_keys: Tensor) -> Tensor:
    """1 / (1 + e^2q e^2k): (batch, heads, target, source, d)."""
    one = exp_query.new_ones(())
    product = torch.addcmul(one, exp_query[:, :, :, None], exp_keys[:, :, None])
    return product.reciprocal_()


def _of_values(query: Tensor, keys: Tensor) -> Tensor:
    """1 / (1 + e^2(q + k)) for any finite q and k, slower than `_of_exponentials`."""
    total = query[:, :, :, None] + keys[:, :, None]
    return total.mul_(-2).sigmoid_()


def _pieces(query: Tensor, keys: Tensor) -> Iterator[tuple[slice, slice, slice]]:
    """Yield slices of batch, heads and target whose (batch, heads, target, source, d) stays small.

    On a CPU a piece fits in the cache. On a GPU pieces are larger, so that few kernels are
    launched, and memory stays bounded.
    """
    batch, heads, target, d = query.shape
    source = keys.shape[2]
    budget = 2**26 if query.is_cuda else 2**19
    rows_at_once = min(batch, max(1, budget // (source * d)))
    heads_at_once = min(heads, max(1, budget // (rows_at_once * source * d)))
    steps_at_once = max(1, budget // (rows_at_once * heads_at_once * source * d))
    for row in range(0, batch, rows_at_once):
        for head in range(0, heads, heads_at_once):
            for step in range(0, target, steps_at_once):
                yield (
                    slice(row, row + rows_at_once),
                    slice(head, head + heads_at_once),
                    slice(step, step + steps_at_once),
                )


def _at_least_float(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


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
