import math

import pytest
import torch

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.initialization import initialize, xavier_bound
from longspan.training.model.model import Model

SIZES = {
    "rnn_num_hidden": 16,
    "num_embed_source": 16,
    "num_embed_target": 16,
    "attention_dimension": 16,
}


def fresh(seed=1, **settings):
    h = Hyperparameters(**{**SIZES, **settings})
    model = Model(h, 30, 40)
    initialize(model, h, torch.Generator().manual_seed(seed))
    return model


def test_xavier_bound_is_that_of_mxnet():
    assert xavier_bound(9, 3, 3, "in") == pytest.approx(math.sqrt(1 / 3))
    assert xavier_bound(9, 3, 3, "out") == pytest.approx(1)
    assert xavier_bound(9, 3, 3, "avg") == pytest.approx(math.sqrt(0.5))


@pytest.mark.parametrize(
    ("settings", "bound"),
    [
        ({"weight_init_type": "uniform", "weight_init_scale": 0.1}, 0.1),
        ({"weight_init_scale": 4.0, "xavier_factor_type": "in"}, 0.5),
        ({"weight_init_scale": 4.0, "xavier_factor_type": "out"}, 0.25),
    ],
)
def test_matrices_fill_their_interval(settings, bound):
    weight = fresh(**settings).decoder.first.kernel.weight_hh_l0  # 64 gates' units of 16
    assert weight.abs().max() <= bound
    assert weight.abs().max() > 0.95 * bound
    assert abs(weight.mean()) < 0.1 * bound


def test_embeddings_divide_by_their_dimension_and_not_by_the_vocabulary():
    model = fresh(weight_init_scale=4.0, xavier_factor_type="out", tie_embeddings="target")
    table = model.target_embedding.weight
    assert 0.45 < table[1:].abs().max() <= 0.5
    assert torch.equal(table[0], torch.zeros(16))  # PAD


def test_biases_are_zero_but_for_the_forget_gate():
    model = fresh()
    for name, parameter in model.named_parameters():
        if name.endswith("bias_ih_l0"):
            units = len(parameter) // 4
            assert torch.equal(parameter[units : 2 * units], torch.ones(units))
            assert parameter.sum() == units
        elif name.rpartition(".")[2].startswith("bias"):
            assert not parameter.any()
    gru = fresh(rnn_cell_type="gru")
    assert not any(p.any() for n, p in gru.named_parameters() if "bias_" in n)


def test_normalisation_layers_keep_what_they_are():
    model = torch.nn.Sequential(torch.nn.LayerNorm(4))
    initialize(model, Hyperparameters(), torch.Generator())
    assert torch.equal(model[0].weight, torch.ones(4))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_for_a_seed_only(seed):
    one, other = fresh(1).state_dict(), fresh(seed).state_dict()
    same = all(torch.equal(one[name], other[name]) for name in one)
    assert same == (seed == 1)
