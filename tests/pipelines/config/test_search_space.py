"""Spaces to search: each combination is one that a training job takes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.pipelines.config import Config, ConfigError
from longspan.pipelines.config.search_space import Range, is_integer
from longspan.pipelines.config.training import as_strings
from longspan.training.hyperparameters import Hyperparameters
from tests.pipelines.config.test_reading import DATA, mistake_of, mistakes_of

# Values that are good by themselves, but not all together.
VALUES = {
    "attention_type": ["none", "dot", "scaled_dot", "bilinear", "additive"],
    "attention_heads": [1, 2, 3, 4, 8],
    "attention_dimension": [48, 64, 96, 100],
    "coverage_mechanism": ["none", "loss", "recurrent"],
    "coverage_penalty": [0, 0.2],
    "rnn_num_hidden": [63, 64, 128],
    "tie_embeddings": ["none", "target", "all"],
    "num_embed_source": [32, 64],
    "num_embed_target": [32, 64],
}
RANGES = {
    "attention_heads": Range(min=1, max=4),
    "attention_dimension": Range(min=64, max=66),
    "attention_dropout": Range(min=0.0, max=0.3),
    "learning_rate": Range(min=1e-4, max=1e-2, scaling="Logarithmic"),
    "rnn_num_hidden": Range(min=64, max=128),
    "num_embed_source": Range(min=32, max=64),
}


@st.composite
def spaces(draw: st.DrawFn) -> dict[str, object]:
    names = draw(st.sets(st.sampled_from(sorted({*VALUES, *RANGES})), min_size=1, max_size=5))
    space: dict[str, object] = {}
    for name in sorted(names):
        if name in RANGES and (name not in VALUES or draw(st.booleans())):
            space[name] = RANGES[name]
        else:
            space[name] = draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, unique=True))
    return space


@settings(max_examples=150, deadline=None)
@given(spaces(), st.randoms(use_true_random=False))
def test_a_job_takes_any_combination_of_a_space_that_is_taken(
    space: dict[str, object], draw: random.Random
) -> None:
    try:
        config = Config.model_validate(
            {
                "data": {"pairs": ["s3://bucket/pairs"]},
                "baseline": {"enabled": False},
                "tuning": {"search_space": space},
            }
        )
    except ConfigError:
        return
    for _ in range(20):
        chosen = {
            name: _one(name, values, draw) for name, values in config.tuning.search_space.items()
        }
        Hyperparameters.parse(as_strings(chosen))


def _one(name: str, values: list[object] | Range, draw: random.Random) -> object:
    if isinstance(values, list):
        return draw.choice(values)
    if is_integer(name):
        return draw.randint(int(values.min), int(values.max))
    return draw.uniform(values.min, values.max)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("{}", "expected 1 to 30 hyperparameters to search, got 0"),
        ("{attention_heads: [1, 3]}", "attention_heads=3 does not divide attention_dimension=512"),
        ("{attention_heads: {min: 4, max: 1}}", "expected less than max=1, got 4"),
        ("{attention_heads: []}", "expected 1 to 30 values, got 0"),
        ("{learning_rate: [1e-3, 0.001]}", "0.001 is in the list twice"),
        ("{attention_dropout: {min: 0, max: 1}}", "attention_dropout: expected a number from 0"),
        ("{attention_type: {min: 0, max: 1}}", "expected a list of values, got a range"),
        (
            "{learning_rate: {min: 0.0, max: 0.1, scaling: Logarithmic}}",
            "expected more than 0 for Logarithmic scaling",
        ),
        ("{max_minutes: [1, 2]}", "set it in training"),
        (
            "{rnn_attention_type: [mlp, dot]}",
            "expected attention_type, got the built-in algorithm's name for it",
        ),
        ("{coverage_mechanism: [loss], attention_type: [none]}", "attention_type is none"),
    ],
)
def test_a_space_with_a_job_that_would_fail_is_refused(space: str, said: str) -> None:
    lines = mistakes_of(f"{DATA}tuning: {{search_space: {space}}}\n")
    assert any(said in line for line in lines), lines


@pytest.mark.parametrize("name", ["attention_dimension", "rnn_attention_num_hidden"])
def test_what_is_searched_is_not_set_as_well(name: str) -> None:
    said = mistake_of(f"training: {{hyperparameters: {{{name}: 256}}}}\n")
    assert "tuning.search_space has it too" in said
