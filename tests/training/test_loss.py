"""The loss against its definition in plain loops, and its bounds on memory."""

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from longspan.training import loss as module
from longspan.training.loss import cross_entropy_sums


def example(positions=5, size=4, vocabulary=7):
    torch.manual_seed(0)
    output = torch.randn(positions, size, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(vocabulary, size, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(vocabulary, dtype=torch.float64, requires_grad=True)
    return output, weight, bias, torch.randint(vocabulary, (positions,))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_sums_are_their_definition(smoothing):
    output, weight, bias, target = example()
    loss, nll, correct = cross_entropy_sums(output, weight, bias, target, smoothing)
    want_loss = want_nll = 0.0
    right = 0
    for x, y in zip(output.tolist(), target.tolist(), strict=True):
        logits = [
            sum(a * b for a, b in zip(row, x, strict=True)) + c
            for row, c in zip(weight.tolist(), bias.tolist(), strict=True)
        ]
        total = math.log(sum(math.exp(v) for v in logits))
        log_probability = [v - total for v in logits]
        want_nll -= log_probability[y]
        want_loss -= (1 - smoothing) * log_probability[y]
        want_loss -= smoothing / len(logits) * sum(log_probability)
        right += max(logits) == logits[y]
    assert loss.item() == pytest.approx(want_loss)
    assert nll.item() == pytest.approx(want_nll)
    assert correct.item() == right


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradients(smoothing, monkeypatch):
    monkeypatch.setattr(module, "_POSITIONS", 2)
    monkeypatch.setattr(module, "_KEPT_LOGITS", {"cpu": 3 * 7})
    output, weight, bias, target = example()

    def run(o, w, b):
        return cross_entropy_sums(o, w, b, target, smoothing)[0] * 0.5

    assert torch.autograd.gradcheck(run, (output, weight, bias))


class LargestTensor(TorchDispatchMode):
    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in torch.utils._pytree.tree_leaves(out):
            if isinstance(x, torch.Tensor):
                self.largest = max(self.largest, x.numel())
        return out


def test_logits_are_never_whole():
    positions, vocabulary = 4000, 9000
    output = torch.randn(positions, 8, requires_grad=True)
    weight = torch.randn(vocabulary, 8, requires_grad=True)
    bias = torch.zeros(vocabulary, requires_grad=True)
    with LargestTensor() as seen:
        loss, _, _ = cross_entropy_sums(
            output, weight, bias, torch.randint(vocabulary, (positions,)), 0.1
        )
        loss.backward()
    assert seen.largest <= 2**24 < positions * vocabulary


def test_no_gradient_is_made_when_none_is_asked_for():
    output, weight, bias, target = (x.detach() for x in example())
    loss, _, _ = cross_entropy_sums(output, weight, bias, target, 0.1)
    assert not loss.requires_grad
