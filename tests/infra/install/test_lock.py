import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from longspan.infra.install.lock import Lock, Pin

ROOT = Path(__file__).parents[3]
LOCKS = {
    "all": Lock.read(ROOT / "requirements.lock"),
    "image": Lock.read(ROOT / "infra" / "image" / "requirements.lock"),
}
SMALL = """\
# This file was made
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via torch
nvidia-nccl-cu13==2.29.7 ; sys_platform == 'linux' \\
    --hash=sha256:cc
torch==2.13.0 \\
    --hash=sha256:dd
"""


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "small.lock"
    path.write_text(SMALL)
    lock = Lock.read(path)
    assert lock.pins[0] == Pin(
        "numpy", "numpy==2.4.6 ; python_full_version < '3.12'", ("sha256:aa", "sha256:bb")
    )
    assert [pin.name for pin in lock.pins] == ["numpy", "nvidia-nccl-cu13", "torch"]
    assert [pin.name for pin in lock.without_torch().pins] == ["numpy"]
    assert [pin.name for pin in lock.cuda().pins] == ["nvidia-nccl-cu13"]
    assert Lock.read(lock.write_hashed(tmp_path / "again")) == lock
    assert "hash" not in lock.write_versions(tmp_path / "versions").read_text()


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_every_file_has_its_hash_and_no_index_is_named(lock: Lock) -> None:
    """So that a mirror that serves the same files will do."""
    for pin in lock.pins:
        requirement = Requirement(pin.requirement)
        assert [one.operator for one in requirement.specifier] == ["=="], pin
        assert requirement.url is None
        assert pin.hashes, pin
        assert all(found.startswith("sha256:") for found in pin.hashes), pin


def test_the_image_has_the_same_versions() -> None:
    assert LOCKS["image"].pins
    versions = {
        name: {(pin.requirement.split(";")[0], pin.hashes) for pin in lock.pins}
        for name, lock in LOCKS.items()
    }
    assert versions["image"] < versions["all"]


def test_what_is_not_for_the_image_is_not_in_it() -> None:
    names = {pin.name for pin in LOCKS["image"].pins}
    assert {"torch", "numpy", "sacrebleu", "setuptools"} <= names
    assert not {"boto3", "sagemaker", "moto", "pytest", "uv"} & names


def test_the_checkout_is_built_with_what_the_lock_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for lock in LOCKS.values():
        [setuptools] = lock.only({"setuptools"}).pins
        assert project["build-system"]["requires"] == [setuptools.requirement]


def test_the_lock_has_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {pin.name: Requirement(pin.requirement) for pin in LOCKS["all"].pins}
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for requirement in map(Requirement, asked):
        if requirement.name != project["name"]:
            [pin] = pinned[canonicalize_name(requirement.name)].specifier
            assert pin.version in requirement.specifier, requirement
