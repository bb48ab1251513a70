"""`make lock`, and what it wrote against the index: these need uv and an index that answers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from longspan.infra.install.installer import find_uv
from longspan.infra.install.lock import Lock

ROOT = Path(__file__).parents[3]
ALL = Path("requirements.lock")
IMAGE = Path("infra/image/requirements.lock")
# Other places than the index; the recipe of `make lock` leaves them out, too.
ELSEWHERE = ("UV_FIND_LINKS", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_CONSTRAINT")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def uv() -> Path:
    found = find_uv(Path(sys.executable))
    return found or pytest.skip("no uv on this machine")


def run(*command: str | Path, **environment: str) -> None:
    """Run uv, or make that runs it; skip where no index answers."""
    own = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    done = subprocess.run(command, env={**own, **environment}, capture_output=True, text=True)
    if "Failed to fetch" in done.stderr:
        pytest.skip(f"no index answers: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


def test_make_lock_changes_nothing_whatever_lies_on_the_machine(uv: Path, tmp_path: Path) -> None:
    for name in (ALL, IMAGE, Path("pyproject.toml"), Path("Makefile")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    here = tmp_path / "here"
    here.mkdir()
    (here / "constraints.txt").write_text("torch<=2.14\n")
    settings = {"UV_FIND_LINKS": str(here), "UV_CONSTRAINT": str(here / "constraints.txt")}
    (here / "installed").touch()
    run("make", "-C", tmp_path, "lock", f"VENV={here}", f"BIN={uv.parent}", **settings)
    for name in (ALL, IMAGE):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text()


@pytest.mark.parametrize("name", [ALL, IMAGE], ids=["all", "image"])
def test_every_hash_is_one_of_the_index(uv: Path, tmp_path: Path, name: Path) -> None:
    lock = Lock.read(ROOT / name)
    versions = lock.write_versions(tmp_path / "versions.txt")
    anew = tmp_path / "anew.lock"
    options = ["--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    options += ["--all-extras"] if name == ALL else []
    command = [uv, "pip", "compile", *options, "-c", versions, "-o", anew, ROOT / "pyproject.toml"]
    run(*command)
    found = {pin.requirement: set(pin.hashes) for pin in Lock.read(anew).pins}
    assert found.keys() == {pin.requirement for pin in lock.pins}
    for pin in lock.pins:
        # The index may have more by now: files for newer versions of Python.
        assert set(pin.hashes) <= found[pin.requirement], pin.name


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(
    ("name", "machine"),
    [(ALL, "x86_64"), (ALL, "aarch64"), (IMAGE, "x86_64")],
    ids=["all", "all-arm", "image"],
)
def test_it_is_complete(uv: Path, tmp_path: Path, name: Path, machine: str, python: str) -> None:
    """With CUDA, and with a file of each package, on Debian 12, which need not be here.

    With --require-hashes uv refuses a package that another one asks for and the lock lacks.
    """
    options = ["--dry-run", "--require-hashes", "--python-platform", f"{machine}-manylinux_2_36"]
    options += ["--python", sys.executable, "--python-version", python]
    run(uv, "pip", "install", *options, "--target", tmp_path / "none", "-r", ROOT / name)
