"""The recurrent layers against their equations in plain loops."""

import math

import pytest
import torch

from longspan.training.model.recurrence import Recurrence, reverse_by_length


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def affine(weight, bias, x):
    rows = zip(weight.tolist(), bias.tolist(), strict=True)
    return [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in rows]


def loop_lstm(kernel, inputs, h, c):
    n, outputs = kernel.hidden_size, []
    for x in inputs:
        a = affine(kernel.weight_ih_l0, kernel.bias_ih_l0, x)
        b = affine(kernel.weight_hh_l0, kernel.bias_hh_l0, h)
        gates = [p + q for p, q in zip(a, b, strict=True)]
        i, f, g, o = (gates[k * n : (k + 1) * n] for k in range(4))
        c = [sigmoid(f[k]) * c[k] + sigmoid(i[k]) * math.tanh(g[k]) for k in range(n)]
        h = [sigmoid(o[k]) * math.tanh(c[k]) for k in range(n)]
        outputs.append(h)
    return outputs, h, c


def loop_gru(kernel, inputs, h, c):
    n, outputs = kernel.hidden_size, []
    for x in inputs:
        a = affine(kernel.weight_ih_l0, kernel.bias_ih_l0, x)
        b = affine(kernel.weight_hh_l0, kernel.bias_hh_l0, h)
        r = [sigmoid(a[k] + b[k]) for k in range(n)]
        z = [sigmoid(a[n + k] + b[n + k]) for k in range(n)]
        new = [math.tanh(a[2 * n + k] + r[k] * b[2 * n + k]) for k in range(n)]
        h = [(1 - z[k]) * new[k] + z[k] * h[k] for k in range(n)]
        outputs.append(h)
    return outputs, h, []


@pytest.mark.parametrize(("cell", "loop"), [("lstm", loop_lstm), ("gru", loop_gru)])
def test_layer_is_its_equations(cell, loop):
    torch.manual_seed(0)
    layer = Recurrence(cell, 3, 4).double()
    inputs = torch.randn(2, 5, 3, dtype=torch.float64)
    hidden = torch.randn(2, 4, dtype=torch.float64)
    state = torch.randn(2, 4 if cell == "lstm" else 0, dtype=torch.float64)
    outputs, last, last_cell = layer(inputs, hidden, state)
    for b in range(2):
        want, h, c = loop(layer.kernel, inputs[b].tolist(), hidden[b].tolist(), state[b].tolist())
        torch.testing.assert_close(outputs[b], torch.tensor(want, dtype=torch.float64))
        torch.testing.assert_close(last[b], torch.tensor(h, dtype=torch.float64))
        torch.testing.assert_close(last_cell[b], torch.tensor(c, dtype=torch.float64))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gradients(cell):
    torch.manual_seed(0)
    layer = Recurrence(cell, 3, 4).double()
    inputs = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in layer.named_parameters()]
    values = [p.detach().clone().requires_grad_() for p in layer.parameters()]

    def run(x, *parameters):
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, named, (x,))[0]

    assert torch.autograd.gradcheck(run, (inputs, *values))


def test_reversal_keeps_padding_and_undoes_itself():
    x = torch.arange(12.0).view(2, 6, 1)
    lengths = torch.tensor([6, 3])
    once = reverse_by_length(x, lengths)
    assert once[0, :, 0].tolist() == [5, 4, 3, 2, 1, 0]
    assert once[1, :, 0].tolist() == [8, 7, 6, 9, 10, 11]
    assert torch.equal(reverse_by_length(once, lengths), x)
    assert torch.autograd.gradcheck(
        lambda y: reverse_by_length(y, lengths), x.double().requires_grad_()
    )
