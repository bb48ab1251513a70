"""`/opt/ml` of processes: their own folder, in a file system that is else as it was."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import regex

from longspan.infra.local.runtimes.process_runtime import ProcessRuntime
from longspan.infra.local.runtimes.runtime import Container

# Run in a view of the file system of its own: /opt without /opt/ml, or a user without rights.
PROGRAM = """
import sys
from pathlib import Path
from longspan.infra.local.runtimes.process_runtime import ProcessRuntime
from longspan.infra.local.runtimes.runtime import Container

runtime, folder = ProcessRuntime(), Path(sys.argv[1])
base = folder / "base"
base.mkdir()
script = "cat /opt/file /opt/link/inner && pwd && echo new > /opt/ml/new && echo x > /opt/other"
running = runtime.start(Container("job", "image", ("sh", "-c", script), base, folder / "log"))
print(repr(runtime.no_root), running.wait(60), (base / "new").read_text().strip())
runtime.close()
"""
OTHER_OPT = (
    "mount -t tmpfs tmpfs /opt && mkdir /opt/folder && echo file > /opt/file && "
    'echo inner > /opt/folder/inner && ln -s folder /opt/link && "$@" && ls /opt'
)


@pytest.fixture
def runtime() -> Iterator[ProcessRuntime]:
    started = ProcessRuntime()
    if started.no_root:
        pytest.skip(f"needs mount namespaces: {started.no_root}")
    yield started
    started.close()


def container(folder: Path, script: str, *arguments: str) -> Container:
    base = folder / "base"
    base.mkdir(parents=True)
    environment = {"WHERE": "/opt/ml/input"}
    command = ("sh", "-c", script, *arguments)
    return Container("job", "image", command, base, folder / "log", environment)


def own_root() -> set[Path]:
    return set(Path("/opt/ml").rglob("*"))


def test_opt_ml_is_the_folder_to_the_letter(runtime: ProcessRuntime, tmp_path: Path) -> None:
    before = own_root()
    script = (
        "pwd; echo $0 $WHERE $LONGSPAN_BASE; mkdir -p /opt/ml/model/a; echo x > /opt/ml/model/a/b"
    )
    asked = container(tmp_path, script, "/opt/ml/code")
    assert runtime.start(asked).wait(180) == 0
    assert asked.log.read_text().split() == ["/opt/ml", "/opt/ml/code", "/opt/ml/input", "/opt/ml"]
    assert (asked.base / "model/a/b").read_text() == "x\n"
    assert own_root() == before


def test_every_container_has_its_own(runtime: ProcessRuntime, tmp_path: Path) -> None:
    script = (
        "echo $0 > /opt/ml/name; while [ ! -e /opt/ml/go ]; do sleep 0.1; done; cat /opt/ml/name"
    )
    asked = [container(tmp_path / name, script, name) for name in ("one", "two")]
    running = [runtime.start(one) for one in asked]
    for one in asked:
        (one.base / "go").touch()  # what the cloud writes, a container sees
    assert [one.wait(180) for one in running] == [0, 0]
    assert [one.log.read_text() for one in asked] == ["one\n", "two\n"]


def test_python_in_a_script_is_this_one(runtime: ProcessRuntime, tmp_path: Path) -> None:
    asked = container(
        tmp_path, "python3 -c 'import sys, regex; print(sys.version, regex.__file__)'"
    )
    assert runtime.start(asked).wait(180) == 0
    assert asked.log.read_text().strip() == f"{sys.version} {regex.__file__}"


@pytest.mark.parametrize("right", ["root", "user"])
def test_a_machine_without_the_folder_gets_none(
    runtime: ProcessRuntime, tmp_path: Path, right: str
) -> None:
    """`user` may not mount, and gets a user namespace."""
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("needs root, unshare and setpriv")
    limits = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    program = [*(limits if right == "user" else ()), sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", OTHER_OPT, "sh", *program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[4],
        timeout=300,
    )
    if "unshare: " in done.stdout:
        pytest.skip(f"needs user namespaces: {done.stdout}")
    assert done.stdout.split() == ["''", "0", "new", "file", "folder", "link"], done.stderr
    assert (tmp_path / "log").read_text().split() == ["file", "inner", "/opt/ml"]
