"""Coverage against its equations in plain loops."""

import math

import torch

from longspan.training.model.coverage import RecurrentCoverage, coverage_loss


def test_coverage_loss_is_its_equation():
    torch.manual_seed(0)
    weights = torch.softmax(torch.randn(2, 3, 4, 5, dtype=torch.float64), -1)
    lengths = [4, 2]
    mask = torch.tensor([[t < n for t in range(4)] for n in lengths])
    want = [0.0, 0.0]
    for b, length in enumerate(lengths):
        covered = [0.0] * 5
        for t in range(length):
            a = [sum(float(weights[b, h, t, s]) for h in range(3)) / 3 for s in range(5)]
            want[b] += sum(min(x, c) for x, c in zip(a, covered, strict=True))
            covered = [c + x for x, c in zip(a, covered, strict=True)]
    torch.testing.assert_close(coverage_loss(weights, mask).tolist(), want)
    assert torch.autograd.gradcheck(lambda w: coverage_loss(w, mask), weights.requires_grad_())


def test_no_loss_where_no_place_is_read_twice():
    weights = torch.eye(4)[None, None]
    assert coverage_loss(weights, torch.ones(1, 4, dtype=torch.bool)).item() == 0


@torch.no_grad()
def test_recurrent_coverage_is_a_gated_unit():
    """A GRU cell over [weights, encoding, query] for each source token, in plain loops."""
    torch.manual_seed(0)
    unit = RecurrentCoverage(3, 2, 4, 5, 6).double()
    covered = torch.randn(2, 7, 3, dtype=torch.float64)
    weights = torch.softmax(torch.randn(2, 2, 1, 7, dtype=torch.float64), -1)
    encoded = torch.randn(2, 7, 4, dtype=torch.float64)
    query = torch.randn(2, 1, 5, dtype=torch.float64)
    got = unit(covered, weights, unit.of_memory(encoded), query)
    sigmoid = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731

    def product(linear, x, row):
        total = sum(float(w) * float(v) for w, v in zip(linear.weight[row], x, strict=True))
        return total + (float(linear.bias[row]) if linear.bias is not None else 0.0)

    for b in range(2):
        for s in range(7):
            c = covered[b, s].tolist()
            inputs = [
                product(unit.of_weights, weights[b, :, 0, s], k)
                + product(unit.of_memory, encoded[b, s], k)
                + product(unit.of_query, query[b, 0], k)
                for k in range(9)
            ]
            z = [sigmoid(inputs[k] + product(unit.gates, c, k)) for k in range(3)]
            r = [sigmoid(inputs[3 + k] + product(unit.gates, c, 3 + k)) for k in range(3)]
            reset = [x * y for x, y in zip(r, c, strict=True)]
            new = [math.tanh(inputs[6 + k] + product(unit.candidate, reset, k)) for k in range(3)]
            want = [(1 - z[k]) * c[k] + z[k] * new[k] for k in range(3)]
            torch.testing.assert_close(got[b, s], torch.tensor(want, dtype=torch.float64))


def test_recurrent_coverage_gradients():
    torch.manual_seed(0)
    unit = RecurrentCoverage(2, 2, 3, 3, 4).double()
    inputs = [
        torch.randn(s, dtype=torch.float64, requires_grad=True)
        for s in [(1, 3, 2), (1, 2, 1, 3), (1, 3, 6), (1, 1, 3), (1, 2, 3, 2)]
    ]

    def run(covered, weights, memory, query, keys):
        return unit.shift(keys, unit(covered, weights, memory, query))

    assert torch.autograd.gradcheck(run, inputs)
