"""Interrupting `make test` leaves no process behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENDLESS = "tests/inference/server/endless.py --dist load -p no:cacheprovider"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc"),
    pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine"),
]


class Interrupted:
    """`make test` on two tests that never end, each with a server; `folder` marks all of it."""

    def __init__(self, folder: Path) -> None:
        self.mark = f"LONGSPAN_RUNNING={folder}".encode()
        self.folder = folder
        # What make would set up is there: this environment.
        installed = folder.with_name(f"{folder.name}-venv") / "installed"
        installed.parent.mkdir()
        installed.touch()
        settings = {
            "VENV": installed.parent,
            "BIN": Path(sys.executable).parent,
            "TESTS": ENDLESS,
        }
        self.make = subprocess.Popen(
            ["make", "test", *(f"{name}={value}" for name, value in settings.items())],
            cwd=ROOT,
            env={**_without_xdist(), "LONGSPAN_RUNNING": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def workers(self) -> list[int]:
        """Processes of pytest-xdist in which a test runs."""
        return [int(path.name) for path in self.folder.iterdir()]

    def processes(self) -> list[int]:
        """All that run, make included."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self.mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found

    def guard(self, *, inner: bool) -> int:
        """The process of one of the two guards."""
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in self.processes()}
        guards = {pid: words for pid, words in commands.items() if b"guarded.py" in words}
        [found] = [pid for pid, words in guards.items() if (b"--inner" in words) == inner]
        return found

    def close(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.make.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.1)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Interrupted]:
    """One whose tests run."""
    started = Interrupted(tmp_path)
    try:
        wait_until(lambda: len(started.workers()) == 2 or started.make.poll() is not None)
        # make, two guards, pytest, its workers, and for each a server with a worker
        assert len(started.processes()) >= 10
        yield started
    finally:
        started.close()


def press_control_c(running: Interrupted) -> None:
    os.killpg(running.make.pid, signal.SIGINT)


def kill_make(running: Interrupted) -> None:
    running.make.kill()


def kill_a_worker_then_terminate(running: Interrupted) -> None:
    os.kill(running.workers()[0], signal.SIGKILL)
    running.make.terminate()


def kill_the_outer_guard(running: Interrupted) -> None:
    os.kill(running.guard(inner=False), signal.SIGKILL)


def kill_the_inner_guard(running: Interrupted) -> None:
    os.kill(running.guard(inner=True), signal.SIGKILL)


@pytest.mark.parametrize(
    "interrupt",
    [
        pytest.param(press_control_c, marks=pytest.mark.long),
        pytest.param(kill_make, marks=pytest.mark.long),
        pytest.param(kill_a_worker_then_terminate, marks=pytest.mark.long),
        pytest.param(kill_the_outer_guard, marks=pytest.mark.long),
        pytest.param(kill_the_inner_guard, marks=pytest.mark.long),
    ],
)
def test_nothing_is_left(running: Interrupted, interrupt: Callable[[Interrupted], None]) -> None:
    interrupt(running)
    assert running.make.wait(120) != 0
    wait_until(lambda: not running.processes())


def _without_xdist() -> dict[str, str]:
    """This test may run in a worker itself."""
    hidden = ("PYTEST_", "MAKE", "MFLAGS")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
