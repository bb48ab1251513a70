import math

import pytest
import torch

from longspan.training.corpus.batches import collate
from longspan.training.corpus.shards import MemoryCorpus
from longspan.training.errors import CheckpointError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.distributed import World
from longspan.training.loop.loss import sequence_loss
from longspan.training.loop.updater import Sums, Updater, load_weights, model_weights
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import EOS
from tests.bf16 import needs_bf16

H = Hyperparameters(
    rnn_num_hidden=8,
    num_embed_source=8,
    num_embed_target=8,
    attention_dimension=8,
    precision="fp32",
)
BATCH = collate(MemoryCorpus([[5, 6, EOS], [7, EOS]], [[6, 5, EOS], [7, 8, 9, EOS]]), [(0,), (1,)])


def updater_of(hyperparameters=H, seed=0):
    torch.manual_seed(seed)
    model = Model(hyperparameters, 12, 12)
    return Updater(model, hyperparameters, sequence_loss, World(), torch.device("cpu"))


def test_updates_lower_the_loss_and_count_its_sums():
    updater = updater_of()
    losses = []
    for number in range(30):
        updater.recent = updater.zeros()
        updater.apply(BATCH, BATCH.tokens, 0.01, number)
        losses.append(updater.total(updater.recent).loss)
    assert losses[-1] < 0.5 * losses[0]
    assert updater.total(updater.period).tokens == 30 * 7
    assert updater.is_finite()


def test_clipping_bounds_the_step_and_zero_is_off():
    def moved(clip):
        h = H.replace(clip_gradient=clip, optimizer_type="sgd", momentum=0.0)
        updater = updater_of(h)
        before = {name: value.clone() for name, value in model_weights(updater.model).items()}
        updater.apply(BATCH, BATCH.tokens, 1.0, 0)
        after = model_weights(updater.model)
        return math.sqrt(sum(float((after[n] - before[n]).square().sum()) for n in before))

    assert moved(0.01) == pytest.approx(0.01, rel=1e-3)
    assert moved(0.0) > 0.1


def test_dropout_follows_from_seed_and_update():
    h = H.replace(rnn_dropout=0.5)

    def after(update, seed=1):
        updater = updater_of(h.replace(seed=seed))
        updater.apply(BATCH, BATCH.tokens, 0.01, update)
        return model_weights(updater.model)["projection.weight"].clone()

    assert torch.equal(after(3), after(3))
    assert not torch.equal(after(3), after(4))
    assert not torch.equal(after(3), after(3, seed=2))


def test_a_rank_without_a_share_still_steps():
    updater = updater_of()
    updater.apply(BATCH, BATCH.tokens, 0.01, 0)
    updater.apply(None, 7, 0.01, 1)
    assert updater.is_finite()


def test_a_loss_that_is_no_number_is_noticed():
    updater = updater_of()
    with torch.no_grad():
        updater.model.projection.bias[5] = math.nan
    updater.apply(BATCH, BATCH.tokens, 0.01, 0)
    assert not updater.is_finite()


@pytest.mark.parametrize("tied", ["none", "all"])
def test_tensors_restore_model_and_optimiser(tied):
    h = H.replace(tie_embeddings=tied)
    one, other = updater_of(h), updater_of(h, seed=9)
    one.apply(BATCH, BATCH.tokens, 0.01, 0)
    other.load({name: value.clone() for name, value in one.tensors().items()})
    for updater in (one, other):
        updater.apply(BATCH, BATCH.tokens, 0.01, 1)
    for name, value in one.tensors().items():
        assert torch.equal(value, other.tensors()[name])


def test_weights_of_another_model_are_named():
    wide = Model(H.replace(num_embed_source=16), 12, 12)
    with pytest.raises(CheckpointError, match=r"weight_ih_l0 of shape \[16, 8\], got \[16, 16\]"):
        load_weights(Model(H, 12, 12), model_weights(wide))


def test_sums_give_figures():
    sums = Sums(nll=20 * math.log(3), correct=5, tokens=20)
    assert (sums.perplexity, sums.accuracy) == pytest.approx((3, 0.25))
    assert Sums().loss == 0
    assert math.isfinite(Sums(1e9, 0, 1).perplexity)


@pytest.mark.processor
@needs_bf16
def test_loss_curves_agree_between_precisions():
    def curve(precision):
        updater = updater_of(H.replace(precision=precision))
        for number in range(60):
            updater.apply(BATCH, BATCH.tokens, 0.01, number)
            if number in (0, 19, 39):
                yield updater.total(updater.period).loss

    assert list(curve("bf16")) == pytest.approx(list(curve("fp32")), rel=0.03)
