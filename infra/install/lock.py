"""Locks: exact versions of packages, with the hashes of their files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["WITH_TORCH", "Lock", "Pin"]

# Prefixes of the names of torch and of the packages for its CUDA build. They are installed by
# version, without hashes, because a mirror may serve its own builds.
WITH_TORCH = ("torch", "triton", "nvidia-", "cuda-")
_CUDA = WITH_TORCH[1:]


@dataclass(frozen=True)
class Pin:
    """Pin of a package: name, requirement with version and marker, hashes of the files."""

    name: str
    requirement: str
    hashes: tuple[str, ...]

    @classmethod
    def parse(cls, entry: str) -> "Pin":
        """Return the pin in an entry of a lock, whose lines are joined."""
        requirement, *hashes = entry.split(" --hash=")
        name = requirement.partition("==")[0].partition("[")[0]
        return cls(name.strip(), requirement.strip(), tuple(found.strip() for found in hashes))

    def hashed(self) -> str:
        """Return the requirement with its hashes, for pip."""
        return " ".join([self.requirement, *(f"--hash={found}" for found in self.hashes)])


@dataclass(frozen=True)
class Lock:
    """Pins of a lock, in the order of the file."""

    pins: tuple[Pin, ...]

    @classmethod
    def read(cls, path: Path) -> "Lock":
        """Read a lock that `uv pip compile` wrote."""
        lines = [line.partition("#")[0] for line in path.read_text("utf-8").splitlines()]
        entries = "\n".join(lines).replace("\\\n", " ").splitlines()
        return cls(tuple(Pin.parse(" ".join(entry.split())) for entry in entries if entry.strip()))

    def only(self, names: Iterable[str]) -> "Lock":
        """Return the lock of some packages."""
        wanted = frozenset(names)
        return Lock(tuple(pin for pin in self.pins if pin.name in wanted))

    def cuda(self) -> "Lock":
        """Return the lock of the packages that only torch's CUDA build needs."""
        return Lock(tuple(pin for pin in self.pins if pin.name.startswith(_CUDA)))

    def without_torch(self) -> "Lock":
        """Return the lock of all packages except torch and those of its CUDA build."""
        return Lock(tuple(pin for pin in self.pins if not pin.name.startswith(WITH_TORCH)))

    def write_hashed(self, path: Path) -> Path:
        """Write the pins with their hashes, as requirements; return the path."""
        return _write(path, (pin.hashed() for pin in self.pins))

    def write_versions(self, path: Path) -> Path:
        """Write the pins without their hashes, as constraints; return the path."""
        return _write(path, (pin.requirement for pin in self.pins))


def _write(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path
