"""A lock: exact versions, with the hashes of their files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["WITH_TORCH", "Lock", "Pin"]

# torch and what only its CUDA build needs: a mirror may serve a build of its own, so these come
# by version. Names that start so.
WITH_TORCH = ("torch", "triton", "nvidia-", "cuda-")
_CUDA = WITH_TORCH[1:]


@dataclass(frozen=True)
class Pin:
    """A package: its name, its version with its marker, and the hashes of that version's files."""

    name: str
    requirement: str
    hashes: tuple[str, ...]

    @classmethod
    def parse(cls, entry: str) -> "Pin":
        """The pin of an entry whose lines are joined."""
        requirement, *hashes = entry.split(" --hash=")
        name = requirement.partition("==")[0].partition("[")[0]
        return cls(name.strip(), requirement.strip(), tuple(found.strip() for found in hashes))

    def hashed(self) -> str:
        """The pin as pip's requirement, which no other file satisfies."""
        return " ".join([self.requirement, *(f"--hash={found}" for found in self.hashes)])


@dataclass(frozen=True)
class Lock:
    """Pins in the order of the file."""

    pins: tuple[Pin, ...]

    @classmethod
    def read(cls, path: Path) -> "Lock":
        """The lock in a file that `uv pip compile` wrote."""
        lines = [line.partition("#")[0] for line in path.read_text("utf-8").splitlines()]
        entries = "\n".join(lines).replace("\\\n", " ").splitlines()
        return cls(tuple(Pin.parse(" ".join(entry.split())) for entry in entries if entry.strip()))

    def only(self, names: Iterable[str]) -> "Lock":
        """The pins of some packages."""
        wanted = frozenset(names)
        return Lock(tuple(pin for pin in self.pins if pin.name in wanted))

    def cuda(self) -> "Lock":
        """Names of the packages that only torch's CUDA build needs."""
        return Lock(tuple(pin for pin in self.pins if pin.name.startswith(_CUDA)))

    def without_torch(self) -> "Lock":
        """Lines to install by hash: all packages but torch and those of its CUDA build."""
        return Lock(tuple(pin for pin in self.pins if not pin.name.startswith(WITH_TORCH)))

    def write_hashed(self, path: Path) -> Path:
        """Write the pins with their hashes, as requirements; the path."""
        return _write(path, (pin.hashed() for pin in self.pins))

    def write_versions(self, path: Path) -> Path:
        """Write the pins without their hashes, as constraints; the path."""
        return _write(path, (pin.requirement for pin in self.pins))


def _write(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path
