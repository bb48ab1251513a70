"""Symptoms of translations whose faults are known."""

import numpy as np
import pytest

from longspan.inference.diagnosis.symptoms import dropped_stretches, symptoms


def measured(alignment=None, output="abcdef", reference="abcdef"):
    return symptoms(6, 7, output, reference, finished=True, alignment=alignment)


def peaked(places, source):
    alignment = np.zeros((len(places), source), dtype=np.float32)
    alignment[np.arange(len(places)), places] = 1
    return alignment


def test_a_diagonal_is_healthy():
    found = measured(peaked(range(6), 7))
    assert found.dropped == 0
    assert found.spread == pytest.approx(1)
    assert found.monotony == pytest.approx(1)
    assert found.sticking == 0
    assert found.length_ratio == 1
    assert found.repetition == 0


def test_what_is_not_read_is_dropped():
    found = measured(peaked([0, 1, 6, 7, 8, 9], 11))
    assert found.stretches == ((2, 6),)
    assert found.dropped == pytest.approx(4 / 11)


def test_the_end_token_and_short_gaps_need_not_be_read():
    assert dropped_stretches(peaked([0, 3, 4], 6)) == ()
    assert dropped_stretches(peaked([3, 4], 9)) == ((0, 3), (5, 8))


def test_attention_that_is_everywhere_wanders():
    found = measured(np.full((6, 8), 1 / 8, dtype=np.float32))
    assert found.spread == pytest.approx(8, rel=1e-4)
    assert found.monotony == 0


def test_attention_that_goes_backwards_is_not_monotone():
    assert measured(peaked(range(5, -1, -1), 7)).monotony == pytest.approx(-1)


def test_attention_that_stays_sticks():
    assert measured(peaked([0, 1, *[2] * 8], 4)).sticking == pytest.approx(0.8)
    assert measured(peaked([0, 1, *[2] * 7], 4)).sticking == 0


def test_repetition_is_less_the_references_own():
    twice = "abcdabcd"
    assert measured(output=twice).repetition == pytest.approx(1 / 5)
    assert measured(output=twice, reference=twice).repetition == 0


def test_without_alignment_there_is_none():
    for alignment in (None, np.zeros((6, 7), dtype=np.float32)):
        found = measured(alignment)
        assert (found.dropped, found.spread, found.monotony, found.sticking) == (None,) * 4


def test_an_empty_output_is_measured():
    found = measured(np.zeros((0, 7), dtype=np.float32), output="")
    assert found.length_ratio == 0
    assert found.repetition == 0
