import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters

DESCRIPTIONS = Hyperparameters.describe()
NAMES = [name for name, *_ in DESCRIPTIONS]

# The whole table of the built-in algorithm with the defaults that its page gives:
# https://docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq-hyperparameters.html
BUILT_IN_DEFAULTS = {
    "batch_size": "64",
    "beam_size": "5",
    "bleu_sample_size": "0",
    "bucket_width": "10",
    "bucketing_enabled": "true",
    "checkpoint_frequency_num_batches": "1000",
    "checkpoint_threshold": "3",
    "clip_gradient": "1",
    "cnn_activation_type": "glu",
    "cnn_hidden_dropout": "0",
    "cnn_kernel_width_decoder": "5",
    "cnn_kernel_width_encoder": "3",
    "cnn_num_hidden": "512",
    "decoder_type": "rnn",
    "embed_dropout_source": "0",
    "embed_dropout_target": "0",
    "encoder_type": "rnn",
    "fixed_rate_lr_half_life": "10",
    "learning_rate": "0.0003",
    "loss_type": "cross-entropy",
    "lr_scheduler_type": "plateau_reduce",
    "max_num_batches": "none",
    "max_num_epochs": "none",
    "max_seq_len_source": "100",
    "max_seq_len_target": "100",
    "min_num_epochs": "0",
    "momentum": "none",
    "num_embed_source": "512",
    "num_embed_target": "512",
    "num_layers_decoder": "1",
    "num_layers_encoder": "1",
    "optimized_metric": "perplexity",
    "optimizer_type": "adam",
    "plateau_reduce_lr_factor": "0.5",
    "plateau_reduce_lr_threshold": "3",
    "rnn_attention_in_upper_layers": "true",
    "rnn_attention_num_hidden": "none",
    "rnn_attention_type": "mlp",
    "rnn_cell_type": "lstm",
    "rnn_decoder_hidden_dropout": "0",
    "rnn_decoder_state_init": "last",
    "rnn_first_residual_layer": "2",
    "rnn_num_hidden": "1024",
    "rnn_residual_connections": "false",
    "training_metric": "perplexity",
    "weight_decay": "0",
    "weight_init_scale": "2.34",
    "weight_init_type": "xavier",
    "xavier_factor_type": "in",
}


def test_a_whole_job_of_the_built_in_algorithm_is_accepted():
    parsed = Hyperparameters.parse(BUILT_IN_DEFAULTS)
    # The defaults in which we differ, and say so in docs/training-job.md.
    assert parsed == Hyperparameters(
        batch_size=64, checkpoint_threshold=3, max_seq_len_source=100, max_seq_len_target=100
    )


@pytest.mark.parametrize(
    ("given", "ours"),
    [("fixed", "none"), ("dot", "dot"), ("bilinear", "bilinear"), ("mlp", "additive")],
)
def test_the_built_in_attention_types_have_our_names(given: str, ours: str):
    parsed = Hyperparameters.parse({"rnn_attention_type": given, "rnn_attention_num_hidden": "64"})
    assert (parsed.attention_type, parsed.attention_dimension) == (ours, 64)


def test_the_built_in_ways_to_say_no_limit():
    parsed = Hyperparameters.parse(
        {"max_num_batches": "-1", "bleu_sample_size": "-1", "max_num_epochs": "None"}
    )
    assert (parsed.max_num_batches, parsed.bleu_sample_size, parsed.max_num_epochs) == (
        None,
        0,
        None,
    )
    assert Hyperparameters.parse({"clip_gradient": "-1"}).clip_gradient == 0


@pytest.mark.parametrize("order", [1, -1])
def test_our_own_name_wins_over_the_built_in_one(order: int):
    given = [("attention_type", "dot"), ("rnn_attention_type", "mlp")][::order]
    assert Hyperparameters.parse(dict(given)).attention_type == "dot"


@pytest.mark.parametrize(
    ("name", "default"), [(name, default) for name, default, *_ in DESCRIPTIONS]
)
def test_every_default_is_a_value_that_its_own_rule_allows(name: str, default: object):
    text = "none" if default is None else str(default)
    assert getattr(Hyperparameters.parse({name: text}), name) == default


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_value_is_named_with_its_key_and_what_is_allowed(name: str):
    allowed = next(row[2] for row in DESCRIPTIONS if row[0] == name)
    with pytest.raises(HyperparameterError) as caught:
        Hyperparameters.parse({name: "seven!"})
    assert str(caught.value) == f"{name}: expected {allowed}, got 'seven!'"


@pytest.mark.parametrize(
    "values",
    [
        {"attention_heads": "0"},
        {"attention_heads": "65"},
        {"attention_heads": "2.5"},
        {"attention_dropout": "1"},
        {"attention_dropout": "-0.1"},
        {"learning_rate": "nan"},
        {"learning_rate": "inf"},
        {"learning_rate": ""},
        {"input_feeding": "yes"},
        {"attention_type": "mlp"},  # the built-in's value under our name
        {"rnn_attention_type": "additive"},
        {"encoder_type": "cnn"},
        {"decoder_type": "cnn"},
        {"training_metric": "bleu"},
        {"rnn_attention_in_upper_layers": "false"},
        {"max_num_epochs": "-1"},
    ],
)
def test_what_is_out_of_range_is_refused(values: dict[str, str]):
    [(name, value)] = values.items()
    with pytest.raises(
        HyperparameterError, match=rf"^{name}: expected \S.*, got '{re.escape(value)}'$"
    ):
        Hyperparameters.parse(values)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"batch_size": "64", "batch_tokens": "100"}, "give one of the two"),
        (
            {"attention_heads": "3", "attention_dimension": "64"},
            "for example attention_dimension=66",
        ),
        ({"rnn_num_hidden": "33"}, "rnn_num_hidden=33: must be even"),
        (
            {"attention_type": "none", "coverage_mechanism": "loss"},
            "coverage_mechanism=loss: needs",
        ),
        ({"tie_embeddings": "all", "num_embed_source": "8"}, "num_embed_source=8 equal to"),
    ],
)
def test_combinations_that_cannot_be_are_refused(values: dict[str, str], reason: str):
    with pytest.raises(HyperparameterError) as caught:
        Hyperparameters.parse(values)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_heads_need_not_divide_when_there_is_no_attention():
    values = {"attention_type": "none", "attention_heads": "3", "attention_dimension": "64"}
    assert Hyperparameters.parse(values).attention_heads == 3


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(
        HyperparameterError, match=r"^atention_heads: .* did you mean attention_heads"
    ):
        Hyperparameters.parse({"atention_heads": "2"})
    with pytest.raises(HyperparameterError, match=r"^zzzzzz: not a hyperparameter; known: .*seed"):
        Hyperparameters.parse({"zzzzzz": "2"})


def test_values_may_be_quoted_and_spaced_as_sdks_do():
    parsed = Hyperparameters.parse(
        {"attention_type": '"dot"', "seed": " 7 ", "input_feeding": "True"}
    )
    assert (parsed.attention_type, parsed.seed, parsed.input_feeding) == ("dot", 7, True)


@given(
    dropout=st.floats(0, 1, exclude_max=True),
    rate=st.floats(1e-9, 100),
    epochs=st.none() | st.integers(1, 10**9),
    residual=st.booleans(),
)
def test_a_dictionary_of_plain_values_comes_back(
    dropout: float, rate: float, epochs: int | None, residual: bool
):
    ours = Hyperparameters(
        attention_dropout=dropout,
        learning_rate=rate,
        max_num_epochs=epochs,
        rnn_residual_connections=residual,
    )
    assert Hyperparameters.from_dict(ours.to_dict()) == ours


@given(name=st.sampled_from(NAMES), value=st.text())
def test_wild_values_are_parsed_or_refused_by_name(name: str, value: str):
    try:
        parsed = Hyperparameters.parse({name: value})
    except HyperparameterError as error:
        assert str(error).startswith((f"{name}: expected ", f"{name}="))  # noqa: PT017 - both ways out are right
    else:
        assert Hyperparameters.from_dict(parsed.to_dict()) == parsed


def test_replacing_values_checks_them_together():
    assert Hyperparameters().replace(seed=9).seed == 9
    with pytest.raises(HyperparameterError, match="attention_heads=7"):
        Hyperparameters().replace(attention_heads=7)


def test_the_token_budget_is_off_when_sentences_are_counted():
    assert Hyperparameters(batch_size=8).token_budget is None
    assert Hyperparameters(batch_tokens=8).token_budget == 8
    assert Hyperparameters().token_budget == Hyperparameters.DEFAULT_BATCH_TOKENS


def test_every_hyperparameter_is_described():
    assert list(Hyperparameters().to_dict()) == NAMES
    assert all(allowed and meaning for _, _, allowed, meaning in DESCRIPTIONS)
