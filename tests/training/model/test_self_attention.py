"""Rotary and ALiBi positions against plain loops, and reading token by token."""

import math

import pytest
import torch

from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.self_attention import SelfAttention, distance_bias, rotate

B, L, UNITS, HEADS = 2, 5, 8, 2
SIZE = UNITS // HEADS


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def loop_attention(module, x, mask, rotary):
    """Softmax attention with plain numbers, position by position."""
    inputs, out = module.inputs.weight, module.output
    result = torch.zeros_like(x)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            read = []
            for h in range(HEADS):
                rows = [
                    slice(part * UNITS + h * SIZE, part * UNITS + (h + 1) * SIZE)
                    for part in range(3)
                ]
                query = turn(inputs[rows[0]] @ x[b, t], t if rotary else 0)
                scores, values = [], []
                for s in range(x.shape[1]):
                    if not mask[t, s]:
                        continue
                    key = turn(inputs[rows[1]] @ x[b, s], s if rotary else 0)
                    score = sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(SIZE)
                    rate = 0.0 if rotary else 2 ** (-8 * (h + 1) / HEADS)
                    scores.append(score - rate * abs(t - s))
                    values.append(inputs[rows[2]] @ x[b, s])
                total = sum(math.exp(score) for score in scores)
                read.append(
                    sum(math.exp(a) / total * v for a, v in zip(scores, values, strict=True))
                )
            result[b, t] = out.weight @ torch.cat(read) + out.bias
    return result


def turn(vector, position):
    """Pairs (i, i + d / 2) turned by position / 10000^(2 i / d)."""
    x, half = vector.tolist(), len(vector) // 2
    turned = [0.0] * len(x)
    for i in range(half):
        angle = position / 10_000 ** (2 * i / len(x))
        turned[i] = x[i] * math.cos(angle) - x[i + half] * math.sin(angle)
        turned[i + half] = x[i] * math.sin(angle) + x[i + half] * math.cos(angle)
    return turned


def build(positions):
    torch.manual_seed(1)
    return SelfAttention(UNITS, HEADS, positions, 0.0).double().eval()


def nothing():
    return torch.empty(B, HEADS, 0, SIZE, dtype=torch.float64)


@pytest.mark.parametrize("positions", ["rotary", "alibi"])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_its_equation(positions, causal):
    module, x = build(positions), random(B, L, UNITS)
    mask = torch.ones(L, L, dtype=torch.bool)
    mask = mask.tril() if causal else mask
    with torch.no_grad():
        got, keys, values = module(x, mask[None, None], nothing(), nothing())
        torch.testing.assert_close(got, loop_attention(module, x, mask, positions == "rotary"))
    assert keys.shape == values.shape == (B, HEADS, L, SIZE)


@pytest.mark.parametrize("positions", ["rotary", "alibi"])
def test_token_by_token_gives_the_same(positions):
    module, x = build(positions), random(B, L, UNITS)
    whole = torch.ones(1, 1, L, L, dtype=torch.bool)
    with torch.no_grad():
        expected, _, _ = module(x, whole.tril(), nothing(), nothing())
        keys, values = nothing(), nothing()
        for t in range(L):
            got, keys, values = module(x[:, t : t + 1], whole[:, :, :1, : t + 1], keys, values)
            torch.testing.assert_close(got[:, 0], expected[:, t])


@pytest.mark.parametrize("positions", ["rotary", "alibi"])
def test_gradients(positions):
    module = build(positions)
    x = random(1, 3, UNITS).requires_grad_()
    mask = torch.ones(1, 1, 3, 3, dtype=torch.bool).tril()
    nothing = x.new_empty(1, HEADS, 0, SIZE)
    assert torch.autograd.gradcheck(lambda x: module(x, mask, nothing, nothing)[0], (x,))


def test_a_rotated_product_depends_on_the_distance_alone():
    query, key = random(1, 1, SIZE), random(1, 1, SIZE, seed=1)
    products = [
        (rotate(query, first + 7) @ rotate(key, first).transpose(-1, -2)).item()
        for first in (0, 3, 1000)
    ]
    assert products == pytest.approx([products[0]] * 3)


def test_distance_bias_falls_with_the_distance():
    bias = distance_bias(HEADS, 2, 3, torch.device("cpu"))
    assert bias.shape == (HEADS, 2, 5)
    assert bias[0, 0].tolist() == [-0.0625 * d for d in (3, 2, 1, 0, 1)]


def test_what_a_transformer_cannot_be():
    with pytest.raises(HyperparameterError, match="transformer_heads=3: twice it must divide"):
        Hyperparameters(architecture="transformer", transformer_heads=3)
    with pytest.raises(HyperparameterError, match="coverage_mechanism=recurrent"):
        Hyperparameters(architecture="transformer", coverage_mechanism="recurrent")
    with pytest.raises(HyperparameterError, match="input_feeding=true"):
        Hyperparameters(architecture="transformer", input_feeding=True)
