"""Installers: uv if it is present or can be fetched, else pip."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from longspan.infra.install.lock import Lock
from longspan.infra.install.pip_settings import PipSettings

__all__ = ["Installer", "fetch_uv", "find_uv", "pip", "uv"]

_OLDEST = (0, 5)  # first version with all variables of PipSettings.for_uv


@dataclass(frozen=True)
class Installer:
    """A command with the options of `pip install`, and its environment."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]

    def install(self, *arguments: str) -> None:
        """Install packages. Raises CalledProcessError, after the program's own messages."""
        subprocess.run([*self.command, *arguments], env=self.environment, check=True)


def pip(python: Path) -> Installer:
    """Return pip of `python`'s environment."""
    return Installer("pip", (str(python), "-m", "pip", "install"), os.environ)


def uv(program: Path, python: Path, settings: PipSettings) -> Installer:
    """Return uv for `python`'s environment; pip's settings apply where uv has none."""
    command = (str(program), "pip", "install", "--python", str(python), *settings.options_for_uv())
    return Installer("uv", command, {**settings.for_uv(), **os.environ})


def find_uv(python: Path) -> Path | None:
    """Return a recent uv on PATH or beside `python`, or None."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(python.parent)])
    found = shutil.which("uv", path=places)
    return Path(found) if found and _works(found) else None


def fetch_uv(python: Path, lock: Lock) -> Path | None:
    """Install the lock's uv beside `python`; return its path, None if this fails."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = lock.only({"uv"}).write_hashed(Path(folder, "uv.txt"))
        # 15 s and one retry: without uv, pip installs everything, which must not wait for long.
        quickly = ("--quiet", "--timeout", "15", "--retries", "1")
        try:
            pip(python).install(*quickly, "--no-deps", "-r", str(wanted))
        except subprocess.CalledProcessError:
            return None
    return find_uv(python)


def _works(program: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
    except OSError:
        return False
    version = re.match(r"uv (\d+)\.(\d+)", done.stdout)
    return version is not None and tuple(map(int, version.groups())) >= _OLDEST
