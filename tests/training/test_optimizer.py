import pytest
import torch

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.optimizer import (
    build_optimizer,
    load_optimizer_tensors,
    optimizer_tensors,
    set_rate,
)

KINDS = ("adam", "sgd", "rmsprop")


def model_of(values):
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.fill_(values)
        model.bias.fill_(values)
    return model


def step(model, optimizer, gradient=0.0):
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, gradient)
    optimizer.step()


@pytest.mark.parametrize("kind", KINDS)
def test_state_goes_on_where_it_was_saved(kind):
    h = Hyperparameters(optimizer_type=kind, weight_decay=0.1)
    whole, parted = model_of(1.0), model_of(1.0)
    one, two = build_optimizer(whole, h), build_optimizer(parted, h)
    for gradient in (0.5, -0.2):
        step(whole, one, gradient)
        step(parted, two, gradient)
    resumed = build_optimizer(parted, h)
    load_optimizer_tensors(
        resumed, {name: value.clone() for name, value in optimizer_tensors(two).items()}
    )
    step(whole, one, 0.3)
    step(parted, resumed, 0.3)
    assert torch.equal(whole.weight, parted.weight)
    assert torch.equal(whole.bias, parted.bias)


def test_adams_decay_is_decoupled_and_spares_biases():
    model = model_of(1.0)
    optimizer = build_optimizer(model, Hyperparameters(weight_decay=0.5))
    set_rate(optimizer, 0.1)
    step(model, optimizer)  # without a gradient, only the decay acts: 1 - 0.1 * 0.5
    assert torch.allclose(model.weight, torch.tensor(0.95))
    assert torch.equal(model.bias, torch.ones(2))


@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_is_that_of_the_next_update(kind):
    model = model_of(1.0)
    optimizer = build_optimizer(model, Hyperparameters(optimizer_type=kind))
    set_rate(optimizer, 0.0)
    step(model, optimizer, 1.0)
    assert torch.equal(model.weight, torch.ones(2, 3))
    set_rate(optimizer, 0.1)
    step(model, optimizer, 1.0)
    assert (model.weight < 1).all()


def test_momentum_of_sgd():
    model = model_of(0.0)
    h = Hyperparameters(optimizer_type="sgd", momentum=0.5, learning_rate=1.0)
    optimizer = build_optimizer(model, h)
    step(model, optimizer, 1.0)
    step(model, optimizer, 0.0)
    assert torch.allclose(model.weight, torch.tensor(-1.5))
