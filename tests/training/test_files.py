"""Atomic writes: all or nothing, and by one run at a time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from longspan.training.errors import DataError
from longspan.training.files import (
    atomic_directory,
    atomic_files,
    is_occupied,
    write_atomically,
)

# Writes a file, says so, and waits to be killed.
WRITER = """
import sys, time
from pathlib import Path
from longspan.training.files import atomic_files
with atomic_files(Path(sys.argv[1]), last="last") as folder:
    (folder / "first").write_text("half")
    print("written", flush=True)
    time.sleep(600)
"""


def write(directory: Path, content: str) -> None:
    with atomic_files(directory, last="last") as folder:
        (folder / "first").write_text(content)
        (folder / "last").write_text(content)


def replace(directory: Path, name: str, content: str) -> None:
    with atomic_directory(directory) as folder:
        (folder / name).write_text(content)


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
    with atomic_files(out, last="last") as folder:
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


def test_a_file_is_replaced_with_its_mode_and_a_killed_runs_scratch(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    (tmp_path / ".secret.json.partial").write_text("half")
    for content in (b"old", b"new"):
        write_atomically(path, content, mode=0o600)
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (content, 0o600)
    with pytest.raises(TypeError):
        write_atomically(path, "text")  # type: ignore[arg-type]
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_is_replaced_as_a_whole_or_stays(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with pytest.raises(UnicodeEncodeError):
        replace(out, "file", "half \ud800")
    assert list(tmp_path.iterdir()) == []
    for name in ("old", "new"):
        replace(out, name, name)
    with pytest.raises(UnicodeEncodeError):
        replace(out, "file", "half \ud800")
    assert contents(out) == {"new": "new"}
    assert list(out.parent.iterdir()) == [out]


def test_what_a_killed_run_left_does_not_occupy_a_directory(tmp_path: Path) -> None:
    assert not is_occupied(tmp_path)
    (tmp_path / ".unfinished").mkdir()
    assert not is_occupied(tmp_path)
    (tmp_path / "file").touch()
    assert is_occupied(tmp_path)
    assert is_occupied(tmp_path / "file")
    assert not is_occupied(tmp_path / "absent")
