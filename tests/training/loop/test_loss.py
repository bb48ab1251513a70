"""The loss against its definition in plain loops, and its bounds on memory."""

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from longspan.training.corpus.batches import Batch
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop import loss as module
from longspan.training.loop.loss import cross_entropy_sums, sequence_loss
from longspan.training.model.model import Model


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
    want_loss, want_nll = 0.0, []
    right = 0
    for x, y in zip(output.tolist(), target.tolist(), strict=True):
        logits = [
            sum(a * b for a, b in zip(row, x, strict=True)) + c
            for row, c in zip(weight.tolist(), bias.tolist(), strict=True)
        ]
        total = math.log(sum(math.exp(v) for v in logits))
        log_probability = [v - total for v in logits]
        want_nll.append(-log_probability[y])
        want_loss -= (1 - smoothing) * log_probability[y]
        want_loss -= smoothing / len(logits) * sum(log_probability)
        right += max(logits) == logits[y]
    assert loss.item() == pytest.approx(want_loss)
    assert nll.tolist() == pytest.approx(want_nll)
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


def paced_example():
    """A model in float64 and a batch of a long and a short sentence."""
    torch.manual_seed(0)
    settings = Hyperparameters(
        rnn_num_hidden=8, num_embed_source=6, num_embed_target=6, attention_dimension=4
    )
    model = Model(settings, 11, 12).double().eval()
    source, target = torch.randint(3, 11, (2, 5)), torch.randint(3, 12, (2, 4))
    return (
        settings,
        model,
        Batch(source, torch.tensor([5, 2]), target.roll(1, 1), target, torch.tensor([4, 2])),
    )


@torch.no_grad()
def test_coverage_of_a_sentence_counts_over_its_perplexity():
    settings, model, batch = paced_example()
    covering = settings.replace(coverage_mechanism="loss", coverage_loss_weight=0.7)
    plain = sequence_loss(model, batch, settings, label_smoothing=0.0)
    both = sequence_loss(model, batch, covering, label_smoothing=0.0)
    want = covered = 0.0
    for row, length in enumerate(batch.target_lengths.tolist()):
        memory = model.encode(batch.source[row : row + 1], batch.source_lengths[row : row + 1])
        decoded = model.decode(batch.target_input[row : row + 1, :length], memory)
        logits = decoded.output[0] @ model.projection.weight.T + model.projection.bias
        chosen = logits.log_softmax(-1)[range(length), batch.target_output[row, :length]]
        mean = decoded.weights[0].mean(0)
        before = mean.cumsum(0) - mean
        twice = float(torch.minimum(mean, before).sum())
        want += math.exp(float(chosen.mean())) * twice
        covered += twice
    assert (both.loss - plain.loss).item() == pytest.approx(0.7 * want)
    assert both.coverage.item() == pytest.approx(covered)
    assert both.nll.item() == pytest.approx(plain.nll.item())


def test_the_perplexity_has_no_gradient_of_its_own():
    """Else a sentence could lower its coverage loss by becoming less likely."""
    settings, model, batch = paced_example()
    covering = settings.replace(coverage_mechanism="loss")
    gradients = []
    for hyperparameters in (settings, covering):
        model.zero_grad()
        sequence_loss(model, batch, hyperparameters, label_smoothing=0.0).loss.backward()
        gradients.append(model.projection.weight.grad.clone())
    torch.testing.assert_close(*gradients)
