import os
import subprocess
import sys
from pathlib import Path

import pytest

from longspan.training.container.paths import ContainerPaths
from longspan.training.container.privileges import leave_root
from longspan.training.errors import OptionError

# Prints who it has become, and writes where a job writes.
_PROGRAM = """
import os, sys
from pathlib import Path
from longspan.training.container.paths import ContainerPaths
from longspan.training.container.privileges import leave_root
base = Path(sys.argv[1])
leave_root(ContainerPaths(base), os.environ)
(base / "model/weights").write_text("x")
print(os.getuid(), os.getgid(), os.getgroups(), (base / "input/data/train/x").read_text())
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A job's folders as root makes them; those above are the test's own, so opened."""
    for folder in tmp_path.parents:
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    channel = tmp_path / "input/data/train"
    channel.mkdir(parents=True)
    (channel / "x").write_text("data")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/old").write_text("from the run before")
    return tmp_path


def become(base: Path, user: str | None) -> str:
    environment = {name: v for name, v in os.environ.items() if name != "LONGSPAN_USER"}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(base)],
        env=environment | ({"LONGSPAN_USER": user} if user else {}),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_root
def test_root_becomes_the_named_user_who_can_write(base: Path):
    assert become(base, "4321:4322") == "4321 4322 [] data"
    assert (base / "model/weights").stat().st_uid == 4321
    assert (base / "checkpoints/old").stat().st_uid == 4321


@needs_root
def test_inputs_that_only_root_could_look_into_are_read(base: Path):
    (base / "input/data/train").chmod(0o700)
    base.chmod(0o700)
    assert become(base, "4321:4321").endswith("data")


@needs_root
def test_the_owner_of_a_mounted_folder_comes_first(base: Path):
    os.chown(base, 99, 98)
    assert become(base, "4321:4321").startswith("99 98 ")


@needs_root
def test_links_are_handed_over_and_their_targets_are_not(base: Path, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("root's")
    (base / "model").mkdir()
    (base / "model/link").symlink_to(outside)
    become(base, "4321:4321")
    assert outside.stat().st_uid == 0
    assert (base / "model/link").lstat().st_uid == 4321


def test_nothing_happens_where_no_user_is_named(tmp_path: Path):
    leave_root(ContainerPaths(tmp_path), {})
    assert not list(tmp_path.iterdir())


@needs_root
@pytest.mark.parametrize("user", ["longspan", "1000", "0:0", "-1:5", "1000:"])
def test_what_names_no_plain_user_is_refused(tmp_path: Path, user: str):
    with pytest.raises(OptionError, match="expected UID:GID of a plain user"):
        leave_root(ContainerPaths(tmp_path), {"LONGSPAN_USER": user})
