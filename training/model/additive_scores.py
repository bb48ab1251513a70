"""Additive attention scores (Bahdanau et al. 2015), in bounded memory and fast on a CPU.

Shapes: query (batch, heads, target, d), keys (batch, heads, source, d).
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

__all__ = ["additive_scores", "at_least_float"]


def additive_scores(query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
    """v . tanh(q + k) (Bahdanau et al. 2015, appendix A.1.2); v (heads, d).

    The sum of shape (batch, heads, target, source, d) is never whole in memory. It is computed and
    reduced piece by piece, and computed again for the gradient.
    """
    dtype = at_least_float(query)
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
            # (batch, heads, target, source, d) @ (d, 1) -> (batch, heads, target, source)
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
            # (.., target, 1, source) @ (.., target, source, d) -> (.., target, 1, d)
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


_Reciprocals = Callable[[Tensor, Tensor], Tensor]


def _factors(query: Tensor, keys: Tensor) -> tuple[_Reciprocals, Tensor, Tensor]:
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


def at_least_float(x: Tensor) -> torch.dtype:
    """Return the type of a tensor, but float32 for narrower types."""
    return torch.promote_types(x.dtype, torch.float32)
