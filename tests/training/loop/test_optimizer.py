import subprocess
import sys

import pytest
import torch

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.optimizer import build_optimizer

KINDS = ("adam", "sgd", "rmsprop")


def model_of(values):
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.fill_(values)
        model.bias.fill_(values)
    return model


def set_gradient(model, value):
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, value)


def step(model, optimizer, gradient=0.0, rate=0.1):
    set_gradient(model, gradient)
    optimizer.step(rate)


def reference(model, kind, momentum):
    """torch's own optimiser of that kind."""
    groups = [
        {"params": [model.weight], "weight_decay": 0.1},
        {"params": [model.bias], "weight_decay": 0.0},
    ]
    if kind == "adam":
        return torch.optim.AdamW(groups, lr=0.1, fused=True)
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=0.1, momentum=momentum, fused=True)
    return torch.optim.RMSprop(groups, lr=0.1, momentum=momentum, foreach=True)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize("kind", KINDS)
def test_updates_are_those_of_torchs_own_optimisers(kind, momentum):
    ours, theirs = model_of(1.0), model_of(1.0)
    optimizer = build_optimizer(
        ours, Hyperparameters(optimizer_type=kind, weight_decay=0.1, momentum=momentum)
    )
    expected = reference(theirs, kind, momentum)
    for gradient in (0.5, -0.2, 0.3):
        step(ours, optimizer, gradient)
        set_gradient(theirs, gradient)
        expected.step()
        assert torch.equal(ours.weight, theirs.weight)
        assert torch.equal(ours.bias, theirs.bias)


@pytest.mark.parametrize("kind", KINDS)
def test_state_goes_on_where_it_was_saved(kind):
    h = Hyperparameters(optimizer_type=kind, weight_decay=0.1, momentum=0.5)
    whole, parted = model_of(1.0), model_of(1.0)
    one, two = build_optimizer(whole, h), build_optimizer(parted, h)
    for gradient in (0.5, -0.2):
        step(whole, one, gradient)
        step(parted, two, gradient)
    resumed = build_optimizer(parted, h)
    resumed.load({name: value.clone() for name, value in two.tensors().items()})
    step(whole, one, 0.3)
    step(parted, resumed, 0.3)
    assert torch.equal(whole.weight, parted.weight)
    assert torch.equal(whole.bias, parted.bias)


def test_adams_decay_is_decoupled_and_spares_biases():
    model = model_of(1.0)
    optimizer = build_optimizer(model, Hyperparameters(weight_decay=0.5))
    step(model, optimizer)  # without a gradient, only the decay acts: 1 - 0.1 * 0.5
    assert torch.allclose(model.weight, torch.tensor(0.95))
    assert torch.equal(model.bias, torch.ones(2))


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_is_that_of_its_update(kind):
    model = model_of(1.0)
    optimizer = build_optimizer(model, Hyperparameters(optimizer_type=kind))
    step(model, optimizer, 1.0, rate=0.0)
    assert torch.equal(model.weight, torch.ones(2, 3))
    step(model, optimizer, 1.0, rate=0.1)
    assert (model.weight < 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_parameter_without_a_gradient_stays(kind):
    model = model_of(1.0)
    optimizer = build_optimizer(model, Hyperparameters(optimizer_type=kind, weight_decay=0.1))
    set_gradient(model, 1.0)
    model.bias.grad = None
    optimizer.step(0.1)
    assert (model.weight < 1).all()
    assert torch.equal(model.bias, torch.ones(2))
    assert not [name for name in optimizer.tensors() if name.startswith("1.")]
    optimizer.clear_gradients()
    assert model.weight.grad is None


def test_momentum_of_sgd():
    model = model_of(0.0)
    optimizer = build_optimizer(model, Hyperparameters(optimizer_type="sgd", momentum=0.5))
    step(model, optimizer, 1.0, rate=1.0)
    step(model, optimizer, 0.0, rate=1.0)
    assert torch.allclose(model.weight, torch.tensor(-1.5))


def test_an_update_does_not_load_torchs_compiler():
    """That would cost each training process more than a second."""
    code = f"""
import sys, torch
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.optimizer import build_optimizer
for kind in {KINDS}:
    model = torch.nn.Linear(3, 2)
    optimizer = build_optimizer(model, Hyperparameters(optimizer_type=kind, momentum=0.5))
    model(torch.ones(3)).sum().backward()
    optimizer.step(0.1)
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
