"""The end of a processing job: exit status, and the one line that SageMaker shows."""

import os
import signal
import subprocess
import sys
import time

import pytest

from longspan.pipelines.jobs.processing_job import OptionParser, run_processing
from longspan.training.container.paths import ContainerPaths
from longspan.training.errors import DataError, OptionError


@pytest.fixture
def paths(tmp_path):
    return ContainerPaths(tmp_path)


def run(paths, work):
    return run_processing(work, {"LONGSPAN_BASE": str(paths.base)})


def raising(error):
    def work(paths):
        raise error

    return work


def test_done_is_0_and_the_message_of_an_earlier_try_is_gone(paths):
    paths.write_message("failed")
    seen = []
    assert run(paths, seen.append) == 0
    assert seen == [paths]
    assert not paths.message.exists()


def test_an_expected_failure_is_one_line(paths, capsys):
    assert run(paths, raising(DataError("expected\n pairs,  got none"))) == 1
    assert capsys.readouterr().err == "longspan: error: expected pairs, got none\n"
    assert paths.message.read_text() == "expected pairs, got none"


def test_an_unforeseen_one_has_a_traceback_too(paths, capsys):
    assert run(paths, raising(ZeroDivisionError("oops"))) == 1
    assert "Traceback" in capsys.readouterr().err
    assert paths.message.read_text() == "ZeroDivisionError: oops"


@pytest.mark.parametrize("character", ["x", "\u732b", "\ud800"])
def test_a_long_message_is_cut_where_sagemaker_would_refuse_it(paths, character):
    paths.write_message(character * 3000)
    content = paths.message.read_bytes()
    assert 1000 <= len(content) <= 1024
    assert content.decode().endswith(" ...")


def test_sigterm_raises_and_what_was_begun_is_cleared_up(paths, capsys):
    cleared = []

    def work(paths):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        finally:
            cleared.append(True)

    before = signal.getsignal(signal.SIGTERM)
    assert run(paths, work) == 143
    assert cleared
    assert signal.getsignal(signal.SIGTERM) is before
    assert "stopped by a signal" in paths.message.read_text()
    assert "Traceback" not in capsys.readouterr().err


def test_a_wrong_option_is_an_error_not_an_exit():
    parser = OptionParser(prog="job")
    parser.add_argument("--count", type=int)
    with pytest.raises(OptionError, match="--count: invalid int value: 'x'; --help"):
        parser.parse_args(["--count", "x"])
    with pytest.raises(OptionError, match="unrecognized arguments: --out x"):
        parser.parse_args(["--out", "x"])


@pytest.mark.parametrize("job", ["prepare", "evaluate"])
def test_help_lists_the_options_of_the_command_that_are_no_paths(job):
    done = subprocess.run(
        [sys.executable, "-m", "longspan.pipelines.jobs", job, "--help"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "--source-language" in done.stdout
    assert "--out " not in done.stdout
