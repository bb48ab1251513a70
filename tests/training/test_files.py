"""Files that are written together: all or none, and by one run at a time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from longspan.training.errors import DataError
from longspan.training.files import written_together

# Writes a file, says so, and waits to be killed.
WRITER = """
import sys, time
from pathlib import Path
from longspan.training.files import written_together
with written_together(Path(sys.argv[1]), last="last") as folder:
    (folder / "first").write_text("half")
    print("written", flush=True)
    time.sleep(600)
"""


def write(directory: Path, content: str) -> None:
    with written_together(directory, last="last") as folder:
        (folder / "first").write_text(content)
        (folder / "last").write_text(content)


def contents(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_what_is_written_replaces_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "out", "old")
    write(tmp_path / "out", "new")
    assert contents(tmp_path / "out") == {"first": "new", "last": "new"}


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, "old")
    with pytest.raises(UnicodeEncodeError):
        write(out, "new \ud800")
    assert contents(out) == {"first": "old", "last": "old"}


def test_a_second_run_is_refused_and_the_first_one_keeps_what_it_has(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with written_together(out, last="last") as folder:
        (folder / "first").write_text("mine")
        with pytest.raises(DataError, match=rf"^{out}: another run is writing to it; wait"):
            write(out, "theirs")
        (folder / "last").write_text("mine")
    assert contents(out) == {"first": "mine", "last": "mine"}
    write(out, "theirs")  # it has ended
    assert contents(out) == {"first": "theirs", "last": "theirs"}


def test_a_killed_run_stands_in_nobodys_way(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(out)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        with pytest.raises(DataError, match="another run is writing to it"):
            write(out, "mine")
        os.kill(process.pid, signal.SIGKILL)
    write(out, "mine")
    assert contents(out) == {"first": "mine", "last": "mine"}
