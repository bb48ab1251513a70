"""`python -m longspan.infra.install`: what `make` runs first, with the Python of `.venv`.

Installs the checkout in the current folder with everything that its lock pins.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from longspan.infra.install.installer import Installer, fetch_uv, find_uv, pip, uv
from longspan.infra.install.lock import Lock
from longspan.infra.install.pip_settings import PipSettings

__all__ = ["main"]

# What packages without a wheel, and the checkout itself, are built with.
_BUILD = frozenset({"setuptools"})
# Where a requirement has hashes, pip and uv check them.
_PINNED = ("--no-deps", "--no-build-isolation", "-r")


def main() -> int:
    """Install with uv, else with pip; the exit status."""
    python = Path(sys.executable)
    lock = Lock.read(Path("requirements.lock"))
    try:
        program = find_uv(python) or fetch_uv(python, lock)
        if program is None:
            _say("uv cannot be fetched: installing with pip, which takes some minutes")
        elif _tried(uv(program, python, PipSettings.read(python)), lock):
            return 0
        else:
            _say("uv has failed, as it says above: installing with pip")
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
    """Nothing is resolved but what torch's own build asks for, and that under the lock."""
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
