"""Each course changes one thing of the same model."""

import pytest

from longspan.pipelines.config import parse_config, template
from longspan.pipelines.config.training import as_strings
from longspan.pipelines.study import courses
from longspan.pipelines.study.budget import Budget
from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters

BASE = "name: kyoto\ndata:\n  pairs: s3://bucket/pairs\n"


def of(hyperparameters="", space="learning_rate: [0.001, 0.002]"):
    config = BASE + f"training: {{hyperparameters: {{{hyperparameters}}}}}\n"
    config += f"tuning: {{search_space: {{{space}}}}}\nbaseline: {{enabled: false}}\n"
    return {course.name: course for course in courses(parse_config(config, "test"))}


def changed(found, name):
    """What a course has otherwise than the baseline."""
    base, own = found["fixed"].hyperparameters, found[name].hyperparameters
    return {key: own[key] for key in own if own[key] != base.get(key)}


def test_every_course_is_the_baseline_but_for_one_thing():
    found = of("rnn_num_hidden: 64, num_layers_decoder: 2, batch_tokens: 500")
    assert list(found) == ["fixed", "ngrams", "larger", "attention", "weights", "batch"]
    assert changed(found, "ngrams") == {}
    assert [name for name, course in found.items() if course.ngrams] == ["ngrams"]
    assert changed(found, "larger") == {
        "rnn_num_hidden": 128, "num_layers_encoder": 2, "num_layers_decoder": 3,
    }  # fmt: skip
    assert changed(found, "weights") == {"weight_init_type": "uniform", "weight_init_scale": 0.08}
    assert changed(found, "batch") == {"batch_tokens": 2000}
    assert changed(found, "attention") == {
        "attention_type": "scaled_dot", "attention_location": "tracking", "coverage_penalty": 0.05,
    }  # fmt: skip


def config_of(hyperparameters):
    return parse_config(f"{BASE}training: {{hyperparameters: {hyperparameters}}}\n", "test")


@pytest.mark.parametrize("batch", ["batch_tokens: 500", "batch_size: 16"])
def test_every_course_trains_on_as_many_target_tokens(batch):
    config = config_of(f"{{max_num_batches: 401, {batch}}}")
    budget = Budget.of(config)
    trained = {}
    for course in courses(config):
        h = Hyperparameters.parse(as_strings(course.hyperparameters))
        limits = budget.hyperparameters(course)
        assert set(limits) == {"max_num_batches", "max_num_epochs", "max_minutes"}
        trained[course.name] = limits["max_num_batches"] * (h.batch_tokens or h.batch_size)
    # The last of the larger batches fills up the budget.
    assert all(401 <= tokens / trained["fixed"] * 401 < 405 for tokens in trained.values())
    assert budget.hyperparameters(courses(config)[-1])["max_num_batches"] == 101


def test_the_budget_is_the_configs_or_what_is_given():
    own = config_of("{max_minutes: 3, max_num_epochs: 7}")
    assert Budget.of(own) == Budget(None, 7, 3)
    assert str(Budget.of(own)) == "max_num_epochs=7, at most 3 minutes"
    assert Budget.of(own, 500, 9) == Budget(500, None, 9)
    assert Budget.of(config_of("{max_num_batches: 60}")) == Budget(60, None, 0)
    for nothing in ("{}", "{max_minutes: 3}"):
        with pytest.raises(HyperparameterError, match="give --updates, or max_num_batches"):
            Budget.of(config_of(nothing), None, 5)


def test_only_attention_attends():
    found = of("attention_type: additive, coverage_mechanism: loss, coverage_penalty: 0.1")
    for name, course in found.items():
        kind = Hyperparameters.parse({k: str(v) for k, v in course.hyperparameters.items()})
        assert (kind.attention_type != "none") == (name == "attention")
    assert found["attention"].hyperparameters["coverage_penalty"] == 0.1


def test_the_built_ins_names_count():
    found = of("rnn_attention_type: fixed, batch_size: 16")
    assert found["attention"].hyperparameters["attention_type"] == "scaled_dot"
    assert changed(found, "batch") == {"batch_size": 64}


def test_uniform_weights_become_xavier_and_defaults_are_doubled():
    found = of("weight_init_type: uniform")
    assert changed(found, "weights")["weight_init_type"] == "xavier"
    assert changed(found, "larger")["rnn_num_hidden"] == 2048
    assert changed(found, "batch") == {"batch_tokens": 12000}


def test_sizes_that_are_searched_are_the_first_of_each():
    found = of(space="attention_heads: [2, 4], attention_dimension: [128, 64], seed: [1, 2]")
    for course in found.values():
        assert course.hyperparameters["attention_dimension"] == 128
        assert course.hyperparameters["attention_heads"] == 2
        assert "seed" not in course.hyperparameters


def test_a_transformer_grows_too():
    found = of("architecture: transformer, transformer_num_hidden: 64")
    assert changed(found, "larger")["transformer_num_hidden"] == 128


def test_the_samples_config_has_its_courses():
    assert len(courses(parse_config(template(), "sample"))) == 6


def test_what_cannot_be_trained_names_its_course():
    with pytest.raises(HyperparameterError, match=r"course attention: attention_heads=3"):
        of("attention_type: none, attention_heads: 3")
