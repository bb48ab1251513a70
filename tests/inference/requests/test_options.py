"""Options of a request and the profiles that they start from."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.refusals import BadRequest
from longspan.inference.requests.options import Options, Profiles
from longspan.training.hyperparameters import Hyperparameters

PROFILES = Profiles.of(Hyperparameters.parse({"length_penalty": "0.7"}))


def settings(**values: object):
    return PROFILES.settings(Options.parse(values), has_attention=True)


def test_profiles_are_greedy_and_a_beam_of_five_with_the_models_penalties():
    assert settings(profile="fast").beam_size == 1
    quality = settings(profile="quality")
    assert (quality.beam_size, quality.length_penalty) == (5, 0.7)
    assert settings() == quality
    assert Profiles.of(Hyperparameters(), "fast").settings(
        Options(), has_attention=True
    ).beam_size == 1  # fmt: skip


def test_a_model_bars_repeats_whatever_the_profile():
    own = Profiles.of(Hyperparameters.parse({"no_repeat_ngram_size": "4"}))
    for profile in ("fast", "quality"):
        found = own.settings(Options.parse({"profile": profile}), has_attention=True)
        assert found.no_repeat_ngram_size == 4


def test_options_change_the_profile():
    changed = settings(profile="fast", beam_size=3, n_best=2, max_length=7, alignment=True)
    assert (changed.beam_size, changed.n_best, changed.max_length) == (3, 2, 7)
    assert settings(profile="fast", no_repeat_ngram_size=4).no_repeat_ngram_size == 4
    assert changed.with_alignment


def test_a_request_wins_over_the_models_least_length():
    own = Profiles.of(Hyperparameters.parse({"min_length": "6"}))
    for profile in ("fast", "quality"):
        options = {"profile": profile}
        assert own.settings(Options.parse(options), has_attention=True).min_length == 6
        changed = Options.parse(options | {"min_length": 2})
        assert own.settings(changed, has_attention=True).min_length == 2
    with pytest.raises(BadRequest, match="min_length: expected at most max_length=5, got 6"):
        own.settings(Options.parse({"max_length": 5}), has_attention=True)


def test_n_best_widens_a_beam_that_nobody_asked_for():
    assert settings(profile="fast", n_best=4).beam_size == 4
    with pytest.raises(BadRequest, match="n_best: expected at most beam_size=2, got 4"):
        settings(n_best=4, beam_size=2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"beam_size": 0}, "beam_size: expected an integer from 1 to 64, got 0"),
        ({"beam_size": "5"}, "beam_size: expected an integer from 1 to 64, got '5'"),
        ({"beam_size": True}, "beam_size: expected an integer from 1 to 64, got true"),
        ({"beam_size": 2.5}, "beam_size: expected an integer from 1 to 64, got 2.5"),
        ({"length_penalty": math.inf}, "length_penalty: expected a number from 0 to 10, got inf"),
        ({"length_penalty": math.nan}, "length_penalty: expected a number from 0 to 10, got nan"),
        ({"alignment": "yes"}, "alignment: expected true | false, got 'yes'"),
        ({"profile": "cheap"}, "profile: expected fast | quality, got 'cheap'"),
        ({"split": None}, "split: expected auto | sentences | never, got null"),
        ({"beamsize": 5}, "did you mean beam_size"),
        (
            {"max_length": 10**12},
            "max_length: expected an integer from 1 to 20000, got 1000000000000",
        ),
        (
            {"no_repeat_ngram_size": -1},
            "no_repeat_ngram_size: expected an integer from 0 to 100, got -1",
        ),
        ({"min_length": 20001}, "min_length: expected an integer from 0 to 20000, got 20001"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(values: dict[str, object], message: str):
    with pytest.raises(BadRequest) as refused:
        Options.parse(values)
    assert message in str(refused.value)


def test_a_model_without_attention_has_no_alignment_and_no_coverage():
    for values in ({"alignment": True}, {"coverage_penalty": 0.2}):
        with pytest.raises(BadRequest, match="expected a model with attention"):
            PROFILES.settings(Options.parse(values), has_attention=False)


@given(st.dictionaries(st.sampled_from([*Options.schemas(), "x"]), st.from_type(object)))
def test_any_values_are_understood_or_refused(values: dict[str, object]):
    with contextlib.suppress(BadRequest):
        PROFILES.settings(Options.parse(values), has_attention=False)
