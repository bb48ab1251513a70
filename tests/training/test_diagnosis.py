"""What is found wrong, of segments whose faults are known."""

import dataclasses
import json

import pytest

from longspan.training.diagnosis import Lengths, diagnose
from longspan.training.symptoms import Symptoms

HEALTHY = Symptoms(
    words=15, source_tokens=20, reference_tokens=20, length_ratio=1.0, repetition=0.0,
    finished=True, dropped=0.0, spread=2.0, monotony=0.95, sticking=0.0,
)  # fmt: skip


def segments(**changes):
    """Ten healthy ones of 15 words, and ten of 120 words with `changes`."""
    long = dataclasses.replace(HEALTHY, words=120, source_tokens=150, reference_tokens=140)
    return [HEALTHY] * 10 + [dataclasses.replace(long, **changes)] * 10


def names(found):
    return [finding.name for finding in found.findings]


def test_nothing_is_found_in_the_healthy():
    found = diagnose(segments(), Lengths(200, 200))
    assert found.findings == ()
    assert found.long == "101 words and more: 10 segments"
    assert found.measures["length ratio"] == (1.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "name", "advice"),
    [
        ({"length_ratio": 0.5}, "length ratio", "length_augmentation"),
        ({"length_ratio": 1.5}, "length ratio above", "attention_location"),
        ({"repetition": 0.3}, "repetition", "coverage_mechanism"),
        ({"dropped": 0.3}, "dropped source", "coverage_penalty"),
        ({"spread": 9.0}, "attention spread", "attention_location"),
        ({"monotony": 0.3}, "monotony", "attention_location"),
        ({"sticking": 0.3}, "sticking", "coverage_mechanism"),
        ({"finished": False}, "unfinished", "max_length_factor"),
    ],
)
def test_each_fault_is_found_alone(changes, name, advice):
    found = diagnose(segments(**changes), Lengths())
    assert names(found) == [name]
    assert advice in found.findings[0].advice
    assert all(number >= 10 for number in found.findings[0].examples)


def test_what_medium_ones_have_too_is_no_finding():
    everywhere = [dataclasses.replace(s, repetition=0.3, spread=9.0) for s in segments()]
    assert diagnose(everywhere, Lengths()).findings == ()


def test_examples_are_the_worst_first():
    long = segments()[-1]
    ratios = [0.8, 0.2, 0.6, 0.4, 0.7]
    given = [HEALTHY] * 3 + [dataclasses.replace(long, length_ratio=r) for r in ratios]
    assert diagnose(given, Lengths()).findings[0].examples == (4, 6, 5)


def test_lengths_never_seen_are_found():
    found = diagnose(segments(), Lengths(source=100, target=140))
    assert names(found) == ["source lengths never seen"]
    assert "length_augmentation_max of at least 150" in found.findings[0].advice


def test_without_attention_only_the_output_is_judged():
    none = {"dropped": None, "spread": None, "monotony": None, "sticking": None}
    found = diagnose(segments(**none, length_ratio=0.5), Lengths())
    assert names(found) == ["length ratio"]
    assert found.measures["monotony"][1] is None


def test_without_medium_segments_long_ones_are_held_against_what_is_right():
    found = diagnose(segments(length_ratio=0.5, spread=20.0)[10:], Lengths())
    assert names(found) == ["length ratio", "attention spread"]
    assert json.dumps(dataclasses.asdict(found))
