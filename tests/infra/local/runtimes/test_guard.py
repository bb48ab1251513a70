"""The guard: what it runs, and that nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "longspan.infra.local.runtimes.guard"]


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in running:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(180)
        if process.stdout is not None:
            process.stdout.close()


def guard(
    started: list["subprocess.Popen[bytes]"], script: str, *arguments: object
) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [*PROGRAM, sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    started.append(process)
    return process


def said(path: Path) -> str:
    deadline = time.monotonic() + 180
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline, f"nothing in {path}"
        time.sleep(0.01)
    return path.read_text().strip()


def lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def gone(*pids: int) -> bool:
    deadline = time.monotonic() + 180
    while any(map(lives, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("pass", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os.kill(os.getpid(), 9)", 137),
        ("import os; os.kill(os.getpid(), 15)", 143),
    ],
)
def test_the_exit_status_is_the_commands(
    started: list["subprocess.Popen[bytes]"], script: str, status: int
) -> None:
    assert guard(started, script).wait(180) == status


def test_a_command_that_is_not_there_ends_with_127() -> None:
    done = subprocess.run([*PROGRAM, "/no/such"], stdin=subprocess.PIPE, capture_output=True)
    assert (done.returncode, done.stderr) == (127, b"/no/such: No such file or directory\n")


def test_the_command_reads_nothing_and_writes_through(
    started: list["subprocess.Popen[bytes]"],
) -> None:
    process = guard(started, "import sys; print(repr(sys.stdin.read()))")
    assert process.stdout is not None
    assert process.stdout.read() == b"''\n"


STOPPABLE = """
import signal, sys, time
from pathlib import Path
def stop(*_):
    print("asked", flush=True)
    sys.exit(5)
signal.signal(signal.SIGTERM, stop)
Path(sys.argv[1]).write_text("ready\\n")
time.sleep(600)
"""


def test_it_asks_the_command_to_stop(
    started: list["subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    process = guard(started, STOPPABLE, tmp_path / "ready")
    said(tmp_path / "ready")
    assert process.stdin is not None
    process.stdin.write(b"T")
    process.stdin.flush()
    assert process.wait(180) == 5
    assert process.stdout is not None
    assert process.stdout.read() == b"asked\n"


# A child in a session of its own, whose parent is gone: nothing but the guard can find it.
FAMILY = """
import os, subprocess, sys, time
from pathlib import Path
child = (
    "import os, signal, sys, time; from pathlib import Path; "
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "Path(sys.argv[1]).write_text(f'{os.getpid()}\\\\n'); time.sleep(600)"
)
nest = (
    "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]], "
    "start_new_session=True)"
)
folder = Path(sys.argv[1])
subprocess.Popen([sys.executable, "-c", child, str(folder / "near")])
subprocess.run([sys.executable, "-c", nest, child, str(folder / "far")])
while not all((folder / name).exists() for name in ("near", "far")):
    time.sleep(0.01)
(folder / "self").write_text(f"{os.getpid()}\\n")
time.sleep(float(sys.argv[2]))
"""


def family(folder: Path) -> list[int]:
    return [int(said(folder / name)) for name in ("self", "near", "far")]


def test_what_the_command_leaves_behind_is_killed_when_it_ends(
    started: list["subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    process = guard(started, FAMILY, tmp_path, 0)
    assert process.wait(180) == 0
    assert gone(*family(tmp_path))


def test_the_end_of_the_rope_kills_everything(
    started: list["subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    process = guard(started, FAMILY, tmp_path, 600)
    pids = family(tmp_path)
    assert all(map(lives, pids))
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(180) == 137
    assert gone(*pids)


def test_so_does_the_death_of_whoever_holds_it(tmp_path: Path) -> None:
    holder = (
        "import subprocess, sys, time\n"
        "process = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\n"
        "print(process.pid, flush=True); time.sleep(600)"
    )
    command = [*PROGRAM, sys.executable, "-c", FAMILY, str(tmp_path), "600"]
    with subprocess.Popen(
        [sys.executable, "-c", holder, *command], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        watcher = int(process.stdout.readline())
        pids = family(tmp_path)
        os.kill(process.pid, signal.SIGKILL)
    assert gone(watcher, *pids)
