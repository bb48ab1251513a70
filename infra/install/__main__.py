"""`python -m longspan.infra.install`: the first step of `make`, with the Python of `.venv`.

It installs the checkout in the current folder, with all packages of its lock.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from longspan.infra.install.installer import Installer, fetch_uv, find_uv, pip, uv
from longspan.infra.install.lock import Lock
from longspan.infra.install.pip_settings import PipSettings

__all__ = ["main"]

# Packages that build the checkout, and packages without a wheel.
_BUILD = frozenset({"setuptools"})
# pip and uv check the hashes of requirements that have some.
_PINNED = ("--no-deps", "--no-build-isolation", "-r")


def main() -> int:
    """Install with uv, else with pip; return the exit status."""
    python = Path(sys.executable)
    lock = Lock.read(Path("requirements.lock"))
    try:
        program = find_uv(python) or fetch_uv(python, lock)
        if program is None:
            _say("uv cannot be fetched: installing with pip, which takes some minutes")
        elif _tried(uv(program, python, PipSettings.read(python)), lock):
            return 0
        else:
            _say("uv failed, see its messages above: installing with pip")
        return 0 if _tried(pip(python), lock) else 1
    except KeyboardInterrupt:
        return 130


def _tried(installer: Installer, lock: Lock) -> bool:
    _say(f"installing with {installer.name}; torch is a large download")
    try:
        with tempfile.TemporaryDirectory() as folder:
            _install(installer, lock, Path(folder))
    except subprocess.CalledProcessError:
        return False
    return True


def _install(installer: Installer, lock: Lock, folder: Path) -> None:
    """Install the lock; only torch's dependencies are resolved, constrained by the lock."""
    build = lock.only(_BUILD).write_hashed(folder / "build.txt")
    installer.install(*_PINNED, str(build))
    packages = lock.without_torch().write_hashed(folder / "packages.txt")
    installer.install(*_PINNED, str(packages))
    versions = lock.write_versions(folder / "versions.txt")
    installer.install("-c", str(versions), *_torch(lock))
    installer.install("--no-deps", "--no-build-isolation", "-e", ".")


def _torch(lock: Lock) -> list[str]:
    return [pin.requirement for pin in lock.only({"torch"}).pins]


def _say(text: str) -> None:
    print(f"make: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
