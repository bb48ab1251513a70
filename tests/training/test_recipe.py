import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.corpus.batches import plan_epoch
from longspan.training.corpus.pair_corpus import MemoryCorpus
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.resume import run_identity
from longspan.training.recipe import CorpusSize, recommend

SMALL = CorpusSize(50_000, 550_000, 650_000)
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "architecture": st.sampled_from(["rnn", "transformer"]),
        "attention_type": st.sampled_from(["none", "additive", "bilinear"]),
        "attention_dimension": st.integers(1, 600),
        "rnn_num_hidden": st.integers(1, 600).map(lambda units: 2 * units),
        "batch_size": st.integers(1, 500),
        "max_num_batches": st.integers(1, 100_000),
        "max_num_epochs": st.integers(1, 50),
        "optimizer_type": st.sampled_from(["adam", "sgd"]),
        "learning_rate": st.floats(1e-5, 0.1),
        "length_penalty": st.floats(0, 2),
    },
)


@settings(deadline=None)
@given(
    pairs=st.integers(1, 5_000_000),
    length=st.floats(1, 200),
    device=st.sampled_from(["cpu", "gpu"]),
    values=GIVEN,
)
def test_what_was_given_stays_and_the_rest_fits_it(pairs, length, device, values):
    asked = Hyperparameters(**{"attention_heads": 1, **values})
    size = CorpusSize(pairs, math.ceil(pairs * length), math.ceil(pairs * length))
    recipe = recommend(size, device, asked)
    for name in asked.model_fields_set:
        assert getattr(recipe.hyperparameters, name) == getattr(asked, name)
    chosen = {name: value for choice in recipe.choices for name, value in choice.values.items()}
    assert not chosen.keys() & asked.model_fields_set
    for name, value in chosen.items():
        assert getattr(recipe.hyperparameters, name) == value
    limits = ("max_num_batches", "max_num_epochs")
    assert any(getattr(recipe.hyperparameters, limit) for limit in limits)


def test_long_sentences_are_cured_without_settings():
    for device in ("cpu", "gpu"):
        h = recommend(SMALL, device, Hyperparameters()).hyperparameters
        assert h.attention_location == "tracking"
        assert h.attention_heads > 1
        assert h.length_augmentation > 0
        assert h.length_augmentation_max >= 300


def test_a_fixed_vector_gets_no_attention_and_no_joined_examples():
    h = recommend(SMALL, "cpu", Hyperparameters(attention_type="none")).hyperparameters
    assert (h.attention_location, h.coverage_penalty, h.length_augmentation) == ("none", 0, 0)
    assert not h.calibrate_penalties


def test_a_third_of_the_tokens_are_in_joined_examples():
    corpus = MemoryCorpus([[5] * 10 + [3]] * 2000, [[5] * 12 + [3]] * 2000)
    asked = Hyperparameters(batch_tokens=500, length_curriculum=0.0)
    h = recommend(CorpusSize.of(corpus), "cpu", asked).hyperparameters
    plan = plan_epoch(corpus, h, 1)
    plain = int(corpus.target_lengths.sum())
    joined = 1 - plain / int(plan.tokens.sum())
    assert joined == pytest.approx(1 / 3, abs=0.05)


def test_checkpoints_are_spread_over_the_whole_training():
    corpus = MemoryCorpus([[5] * 10 + [3]] * 2000, [[5] * 12 + [3]] * 2000)
    h = recommend(CorpusSize.of(corpus), "cpu", Hyperparameters()).hyperparameters
    updates = h.max_num_epochs * len(plan_epoch(corpus, h, h.max_num_epochs - 1))
    assert 10 <= updates / h.checkpoint_frequency_num_batches <= 40


@pytest.mark.parametrize("limit", [{"max_num_batches": 10}, {"max_num_epochs": 90}])
def test_a_run_with_another_limit_can_be_resumed(limit):
    corpus = MemoryCorpus([[5, 3]] * 20, [[5, 3]] * 20)
    identities = []
    for values in ({}, limit):
        h = recommend(SMALL, "cpu", Hyperparameters(**values)).hyperparameters
        identities.append(run_identity(h, corpus, corpus, "tokenizer"))
    assert identities[0] == identities[1]


def test_few_pairs_get_more_dropout():
    few, many = (
        recommend(CorpusSize(n, 20 * n, 20 * n), "cpu", Hyperparameters()).hyperparameters
        for n in (50_000, 5_000_000)
    )
    for name in ("rnn_dropout", "embed_dropout_source", "subword_dropout"):
        assert getattr(few, name) > getattr(many, name)


def test_more_pairs_get_wider_layers_a_lower_rate_and_fewer_epochs():
    found = [
        recommend(CorpusSize(n, 20 * n, 20 * n), "cpu", Hyperparameters()).hyperparameters
        for n in (20_000, 300_000, 5_000_000)
    ]
    assert found[0].rnn_num_hidden < found[1].rnn_num_hidden <= found[2].rnn_num_hidden
    assert found[0].learning_rate > found[1].learning_rate >= found[2].learning_rate
    assert found[0].max_num_epochs > found[1].max_num_epochs > found[2].max_num_epochs


def test_penalties_that_were_given_are_not_chosen_again():
    assert recommend(SMALL, "cpu", Hyperparameters()).hyperparameters.calibrate_penalties
    own = Hyperparameters(length_penalty=1.0)
    assert not recommend(SMALL, "cpu", own).hyperparameters.calibrate_penalties


def test_lines_say_what_was_chosen_and_why():
    lines = recommend(SMALL, "cpu", Hyperparameters(rnn_num_hidden=100)).lines
    text = "\n".join(lines)
    assert "50,000 pairs on a CPU" in text
    assert "attention_location=tracking" in text
    assert "rnn_num_hidden" not in text
    complete = recommend(SMALL, "cpu", Hyperparameters()).hyperparameters
    assert recommend(SMALL, "cpu", complete.replace()).lines == []
