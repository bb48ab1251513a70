"""What is found wrong, of segments whose faults are known."""

import dataclasses
import json

import pytest

from longspan.inference.diagnosis.diagnosis import Lengths, diagnose
from longspan.inference.diagnosis.symptoms import Symptoms
from longspan.training.hyperparameters import Hyperparameters

UNKNOWN = Lengths()
HEALTHY = Symptoms(
    words=15, source_tokens=20, reference_tokens=20, length_ratio=1.0, repetition=0.0,
    finished=True, quality=70.0, dropped=0.0, spread=2.0, monotony=0.95, sticking=0.0,
)  # fmt: skip


def segments(**changes):
    """Ten healthy ones of 15 words, and ten of 120 words with `changes`."""
    long = dataclasses.replace(HEALTHY, words=120, source_tokens=150, reference_tokens=140)
    return [HEALTHY] * 10 + [dataclasses.replace(long, **changes)] * 10


def found_in(segments, trained=UNKNOWN, **settings):
    return diagnose(segments, trained, Hyperparameters(**settings))


def names(found):
    return [finding.name for finding in found.findings]


def test_nothing_is_found_in_the_healthy():
    found = found_in(segments(), Lengths(200, 200))
    assert found.findings == ()
    assert found.long == "101 words and more: 10 segments"
    assert found.measures["length ratio"] == (1.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "name", "advice"),
    [
        ({"quality": 40.0}, "quality", "attention_location"),
        ({"length_ratio": 0.5}, "length ratio", "length_augmentation"),
        ({"length_ratio": 1.5}, "length ratio above", "attention_location"),
        ({"repetition": 0.3}, "repetition", "coverage_mechanism"),
        ({"dropped": 0.3}, "dropped source", "--coverage-penalty"),
        ({"spread": 9.0}, "attention spread", "attention_location"),
        ({"monotony": 0.3}, "monotony", "attention_location"),
        ({"sticking": 0.3}, "sticking", "coverage_mechanism"),
        ({"finished": False}, "unfinished", "--max-length-factor"),
        ({"finished": False, "looping": True}, "looping", "--no-repeat-ngram-size"),
    ],
)
def test_each_fault_is_found_alone(changes, name, advice):
    found = found_in(segments(**changes))
    assert names(found) == [name]
    assert any(advice in text for text in found.findings[0].advice)
    assert all(number >= 10 for number in found.findings[0].examples)


def test_what_medium_ones_have_too_is_no_finding():
    everywhere = [dataclasses.replace(s, repetition=0.3, spread=9.0) for s in segments()]
    assert found_in(everywhere).findings == ()


def test_examples_are_the_worst_first():
    long = segments()[-1]
    ratios = [0.8, 0.2, 0.6, 0.4, 0.7]
    given = [HEALTHY] * 3 + [dataclasses.replace(long, length_ratio=r) for r in ratios]
    assert found_in(given).findings[0].examples == (4, 6, 5)


def test_lengths_never_seen_are_found():
    found = found_in(segments(), Lengths(source=100, target=140))
    assert names(found) == ["source lengths never seen"]
    assert "length_augmentation_max=150" in found.findings[0].advice[0]


def test_without_attention_only_the_output_is_judged():
    none = {"dropped": None, "spread": None, "monotony": None, "sticking": None}
    found = found_in(segments(**none, length_ratio=0.5))
    assert names(found) == ["length ratio"]
    assert found.measures["monotony"][1] is None


def test_what_is_set_already_is_not_advised_again():
    broken = segments(length_ratio=0.5, repetition=0.3, dropped=0.3)
    said = {f.name: f.advice for f in found_in(broken, attention_location="progress").findings}
    assert "attention_location=tracking" in said["repetition"]
    cured = {
        "attention_location": "tracking", "coverage_mechanism": "loss", "length_penalty": 1.0,
        "coverage_penalty": 0.1, "length_augmentation": 0.1, "length_augmentation_max": 200,
        "no_repeat_ngram_size": 4,
    }  # fmt: skip
    for finding in found_in(broken, **cured).findings:
        (text,) = finding.advice
        assert text.startswith("what usually helps is set already")
    shorter = cured | {"length_augmentation_max": 100}
    assert found_in(broken, **shorter).findings[0].advice == (
        "length_augmentation_max=150, which is 100",
    )


def test_a_fixed_vector_is_told_to_attend_and_a_transformer_to_look_near():
    fixed = found_in(segments(repetition=0.3), attention_type="none").findings[0].advice
    assert fixed[0].startswith("attention_type=scaled_dot")
    assert not any("coverage" in text for text in fixed)
    near = found_in(segments(monotony=0.2), architecture="transformer").findings[0].advice
    assert any("transformer_window=16" in text for text in near)


def test_without_medium_segments_long_ones_are_held_against_what_is_right():
    found = found_in(segments(length_ratio=0.5, spread=20.0)[10:])
    assert names(found) == ["length ratio", "attention spread"]
    assert json.dumps(dataclasses.asdict(found))
