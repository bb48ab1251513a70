"""Every score function against plain loops in float64, gradients included."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from longspan.training.model import additive_scores as additive
from longspan.training.model.additive_scores import additive_scores
from longspan.training.model.attention import (
    attend,
    bilinear_scores,
    build_attention,
    dot_scores,
    scaled_dot_scores,
)

B, H, T, S, D = 2, 3, 4, 5, 6


def tensors(*shapes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]


def loop_scores(query, keys, score):
    out = torch.zeros(*query.shape[:3], keys.shape[2], dtype=torch.float64)
    for b in range(query.shape[0]):
        for h in range(query.shape[1]):
            for t in range(query.shape[2]):
                for s in range(keys.shape[2]):
                    out[b, h, t, s] = score(query[b, h, t].tolist(), keys[b, h, s].tolist(), h)
    return out


def whole_scores(query, keys, v):
    return (torch.tanh(query[:, :, :, None] + keys[:, :, None]) * v[None, :, None, None]).sum(-1)


def dot(q, k):
    return sum(x * y for x, y in zip(q, k, strict=True))


def test_each_score_is_its_equation():
    query, keys, v, weight = tensors((B, H, T, D), (B, H, S, D), (H, D), (H, D, D))
    cases = {
        "dot": (dot_scores(query, keys), lambda q, k, h: dot(q, k)),
        "scaled": (scaled_dot_scores(query, keys), lambda q, k, h: dot(q, k) / math.sqrt(D)),
        "bilinear": (
            bilinear_scores(query, keys, weight),
            lambda q, k, h: sum(
                q[i] * float(weight[h, i, j]) * k[j] for i in range(D) for j in range(D)
            ),
        ),
        "additive": (
            additive_scores(query, keys, v),
            lambda q, k, h: sum(float(v[h, i]) * math.tanh(q[i] + k[i]) for i in range(D)),
        ),
    }
    for name, (got, score) in cases.items():
        torch.testing.assert_close(got, loop_scores(query, keys, score), msg=name)


@pytest.mark.parametrize(
    ("score", "shapes"),
    [
        (dot_scores, []),
        (scaled_dot_scores, []),
        (bilinear_scores, [(H, D, D)]),
        (additive_scores, [(H, D)]),
    ],
)
def test_gradients(score, shapes):
    inputs = [x.requires_grad_() for x in tensors((B, H, T, D), (B, H, S, D), *shapes)]
    assert torch.autograd.gradcheck(score, inputs)


@pytest.mark.parametrize("shape", [(1, 1, 3, 700, 900), (40, 2, 7, 60, 70), (5, 4, 1, 30, 2000)])
def test_additive_pieces_give_the_whole(shape):
    """Sizes beyond one piece in each dimension that is cut."""
    b, h, t, s, d = shape
    query, keys, v, out = tensors((b, h, t, d), (b, h, s, d), (h, d), (b, h, t, s))
    inputs = [x.requires_grad_() for x in (query, keys, v)]
    got = additive_scores(*inputs)
    whole = whole_scores(query, keys, v)
    torch.testing.assert_close(got, whole)
    for mine, theirs in zip(
        torch.autograd.grad(got, inputs, out), torch.autograd.grad(whole, inputs, out), strict=True
    ):
        torch.testing.assert_close(mine, theirs)


ROUNDING = {torch.bfloat16: 1e-2, torch.float32: 1e-5, torch.float64: 1e-12}


def wild(generator, count, dtype):
    """Numbers of every size that a float has, most of them where exponentials end."""
    largest = math.floor(math.log10(torch.finfo(dtype).max))
    exponents = generator.choice([-5, 0, 1, 1.3, 1.6, 2, 2.5, 4, 10, largest], count)
    return generator.choice([-1, 1], count) * generator.uniform(0.2, 1, count) * 10.0**exponents


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(ROUNDING)), st.floats(0, 1), st.integers(0, 10**9))
def test_additive_is_exact_for_every_finite_input(dtype, share, seed):
    """The scores and their gradients, against tanh in float64."""
    generator = np.random.default_rng(seed)
    query, keys, v, out = (
        generator.normal(size=s) for s in ((2, 2, 3, 4), (2, 2, 5, 4), (2, 4), (2, 2, 3, 5))
    )
    for x in (query, keys):
        where = generator.random(x.shape) < share
        x[where] = wild(generator, where.sum(), dtype)
    keys[..., 0, :] = -query[..., 0, :]  # sums of 0
    inputs = [torch.from_numpy(x).to(dtype).requires_grad_() for x in (query, keys, v)]
    expected = [x.detach().double().requires_grad_() for x in inputs]
    got, whole = additive_scores(*inputs), whole_scores(*expected)
    d_got, d_whole = (
        torch.autograd.grad(scores, leaves, torch.from_numpy(out).to(scores.dtype))
        for scores, leaves in ((got, inputs), (whole, expected))
    )
    near = {"rtol": ROUNDING[dtype], "atol": ROUNDING[dtype], "check_dtype": False}
    torch.testing.assert_close(got, whole, **near)
    torch.testing.assert_close(d_got, d_whole, **near)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_additive_knows_large_values_of_opposite_sign(dtype):
    query = torch.tensor([25.0, 1e4, -60.0, 30.0], dtype=dtype).view(1, 1, -1, 1)
    keys = torch.tensor([-20.5, -1e4 + 1, 62.0, -3e38], dtype=dtype).view(1, 1, -1, 1)
    scores = additive_scores(query, keys, torch.ones(1, 1, dtype=dtype))
    sums = [[math.tanh(q + k) for k in keys.flatten().tolist()] for q in query.flatten().tolist()]
    torch.testing.assert_close(scores[0, 0], torch.tensor(sums, dtype=dtype))


class LargestTensor(TorchDispatchMode):
    """Remembers the largest number of elements that any operation returned."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in torch.utils._pytree.tree_leaves(out):
            if isinstance(x, torch.Tensor):
                self.largest = max(self.largest, x.numel())
        return out


def test_additive_never_makes_the_whole_sum():
    b, t, s, d = 16, 50, 60, 128
    module = build_attention("additive", 64, 64, d, 2, 0.0)
    encoded = torch.randn(b, s, 64)
    mask = torch.ones(b, s, dtype=torch.bool)
    with LargestTensor() as seen:
        keys, values = module.keys_and_values(encoded, encoded[:, 0])
        context, _ = module(torch.randn(b, t, 64), keys, values, mask)
        context.sum().backward()
    assert seen.largest < b * t * s * d / 8


def test_attend_is_a_masked_softmax_and_a_mean_of_values():
    scores, values = tensors((B, H, T, S), (B, H, S, 7))
    lengths = [5, 2]
    mask = torch.tensor([[i < n for i in range(S)] for n in lengths])
    context, weights = attend(scores, values, mask)
    for b in range(B):
        for h in range(H):
            for t in range(T):
                exps = [math.exp(scores[b, h, t, s]) for s in range(lengths[b])]
                expected = [e / sum(exps) for e in exps] + [0.0] * (S - lengths[b])
                torch.testing.assert_close(
                    weights[b, h, t], torch.tensor(expected, dtype=torch.float64)
                )
                mean = sum(w * values[b, h, s] for s, w in enumerate(expected))
                torch.testing.assert_close(context[b, h, t], mean)
    assert torch.autograd.gradcheck(
        lambda s, v: attend(s, v, mask)[0], (scores.requires_grad_(), values.requires_grad_())
    )


def test_dropout_leaves_the_returned_weights_whole():
    scores, values = tensors((B, H, T, S), (B, H, S, 7))
    mask = torch.ones(B, S, dtype=torch.bool)
    torch.manual_seed(0)
    context, weights = attend(scores, values, mask, dropout=0.5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(B, H, T, dtype=torch.float64))
    assert not torch.allclose(context, weights @ values)


@pytest.mark.parametrize("kind", ["none", "dot", "scaled_dot", "bilinear", "additive"])
@pytest.mark.parametrize("heads", [1, 4])
def test_module_shapes_and_padding(kind, heads):
    torch.manual_seed(0)
    module = build_attention(kind, 10, 12, 8, heads, 0.0)
    encoded, query = torch.randn(2, 5, 12), torch.randn(2, 3, 10)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    context, weights = module(query, *module.keys_and_values(encoded, encoded[:, 0]), mask)
    assert context.shape == (2, 3, 8)
    assert weights.shape == (2, module.heads, 3, 5)
    changed = encoded.clone()
    changed[1, 2:] = 1e3
    again, _ = module(query, *module.keys_and_values(changed, changed[:, 0]), mask)
    torch.testing.assert_close(context, again)


def test_pieces_cover_every_element_once():
    query, keys = torch.zeros(7, 3, 11, 130), torch.zeros(7, 3, 90, 130)
    seen = torch.zeros(7, 3, 11)
    for rows, heads, steps in additive._pieces(query, keys):
        seen[rows, heads, steps] += 1
    assert (seen == 1).all()
