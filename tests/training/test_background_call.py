"""Calls in a process of their own: what they give back, raise, and leave behind."""

import os
import time
from pathlib import Path

import pytest

from longspan.inference.evaluation.evidence import read_evidence
from longspan.training.background_call import BackgroundCall
from longspan.training.errors import DataError, LongspanError
from longspan.training.lengths import count_words


def test_the_result_comes_from_another_process():
    with BackgroundCall(count_words, "one two three") as other, BackgroundCall(os.getpid) as third:
        assert other.result() == 3
        assert third.result() != os.getpid()


def test_more_than_a_pipe_holds_goes_both_ways():
    text = ["many words"] * 50_000
    with BackgroundCall(sorted, text) as other:
        assert other.result() == text


def test_threads_are_those_that_were_asked_for():
    with BackgroundCall(os.getenv, "OMP_NUM_THREADS", threads=3) as other:
        assert other.result() == "3"


def test_an_expected_error_is_raised_here_and_any_other_ends_with_its_status(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "evidence.json").write_text("[]")
    with (
        BackgroundCall(read_evidence, tmp_path) as other,
        pytest.raises(DataError, match="expected an evaluation's evidence"),
    ):
        other.result()
    assert "Traceback" not in capfd.readouterr().err
    with (
        BackgroundCall(int, "x") as other,
        pytest.raises(LongspanError, match="got its end with status 1"),
    ):
        other.result()
    assert "ValueError" in capfd.readouterr().err


def test_whatever_ends_the_block_ends_the_process():
    with pytest.raises(KeyboardInterrupt), BackgroundCall(time.sleep, 1000) as other:
        raise KeyboardInterrupt
    assert other._process.poll() is not None


def test_a_process_that_is_killed_is_an_error():
    with BackgroundCall(time.sleep, 1000) as other:
        other._process.kill()
        with pytest.raises(LongspanError, match="out of memory"):
            other.result()
