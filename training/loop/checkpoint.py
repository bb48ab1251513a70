"""Checkpoints: written as a whole, and read only if their checksums are right.

A checkpoint is a folder `checkpoint-UPDATES` with `tensors.safetensors` (weights and optimiser
state) and `state.json` (everything else, and the checksums of both). A killed job or a full disk
leaves the earlier checkpoints as they were. Reading a checkpoint never unpickles anything.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save_file
from torch import Tensor

from longspan.training.errors import CheckpointError, DataError
from longspan.training.files import atomic_directory

__all__ = ["Checkpoint", "CheckpointStore", "check_identity"]

_FORMAT = 1
_PREFIX = "checkpoint-"
_TENSORS, _STATE = "tensors.safetensors", "state.json"
_SCRATCH = ".new-checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint."""

    updates: int
    state: dict[str, Any]  # JSON values
    tensors: bytes  # in the safetensors format, see `read_tensors`

    def read_tensors(self, prefix: str = "") -> dict[str, Tensor]:
        """Return the tensors whose names begin with `prefix`, by the rest of their names."""
        every = load_safetensors(self.tensors)
        return {k.removeprefix(prefix): v for k, v in every.items() if k.startswith(prefix)}

    def to_bytes(self) -> bytes:
        """Serialise for another process, which reads it with `from_bytes`."""
        head = json.dumps([self.updates, self.state]).encode()
        return len(head).to_bytes(8, "little") + head + self.tensors

    @classmethod
    def from_bytes(cls, content: bytes) -> "Checkpoint":
        """Read what `to_bytes` returned."""
        size = 8 + int.from_bytes(content[:8], "little")
        updates, state = json.loads(content[8:size])
        return cls(updates, state, content[size:])


class CheckpointStore:
    """The checkpoints of one training run in a folder.

    The last `keep` checkpoints stay, and for each of them those that were best at its time.
    """

    def __init__(
        self, directory: str | Path, *, warn: Callable[[str], None], keep: int = 3
    ) -> None:
        self.directory = Path(directory)
        self._warn = warn
        self._keep = keep

    def save(
        self,
        updates: int,
        state: Mapping[str, Any],
        tensors: Mapping[str, Tensor],
        best: Sequence[int] = (),
    ) -> Path:
        """Write a checkpoint, then delete those that are neither recent nor best.

        `best` are the updates of the best checkpoints so far. Returns the folder. Raises
        CheckpointError when it cannot be written; the earlier checkpoints are then intact.
        """
        # Nine digits, so that names sort by updates.
        final = self.directory / f"{_PREFIX}{updates:09d}"
        try:
            with atomic_directory(final, scratch=self.directory / _SCRATCH) as folder:
                save_file({k: v.contiguous() for k, v in tensors.items()}, folder / _TENSORS)
                body = {
                    "format": _FORMAT,
                    "updates": updates,
                    "best": list(best),
                    # The state has the hash of the tensors, and below its own, so that files of
                    # two checkpoints do not mix.
                    "tensors_sha256": _sha256(folder / _TENSORS),
                    "state": dict(state),
                }
                text = json.dumps({"sha256": _digest(body), "body": body}, indent=1)
                (folder / _STATE).write_text(text, encoding="utf-8")
        except (DataError, OSError, SafetensorError) as error:
            raise CheckpointError(
                f"{final}: expected to write a checkpoint, got: {_reason(error)}; earlier ones "
                "are intact: make room there and run the same command again"
            ) from error
        self._prune()
        return final

    def newest(self) -> Checkpoint | None:
        """Return the newest intact checkpoint, or None; warn about each one that is damaged."""
        for updates in reversed(self.saved()):
            try:
                return self.load(updates)
            except CheckpointError as error:
                self._warn(f"{error}; using the checkpoint before it")
        return None

    def load(self, updates: int) -> Checkpoint:
        """Return the checkpoint after `updates` updates. Raises CheckpointError if damaged."""
        folder = self.directory / f"{_PREFIX}{updates:09d}"
        body = _read_body(folder)
        try:
            tensors = (folder / _TENSORS).read_bytes()
        except OSError as error:
            raise CheckpointError(
                f"{folder}: expected {_TENSORS}, got: {_reason(error)}"
            ) from error
        if hashlib.sha256(tensors).hexdigest() != body["tensors_sha256"]:
            raise CheckpointError(f"{folder}: {_TENSORS} does not match its checksum")
        return Checkpoint(updates, body["state"], tensors)

    def clear(self) -> None:
        """Delete every checkpoint; other files in the folder stay."""
        for updates in self.saved():
            shutil.rmtree(self.directory / f"{_PREFIX}{updates:09d}")

    def saved(self) -> list[int]:
        """Return the updates of all checkpoints, intact or not, in order."""
        names = (path.name for path in self.directory.glob(f"{_PREFIX}*") if path.is_dir())
        numbers = (name.removeprefix(_PREFIX) for name in names)
        return sorted(int(number) for number in numbers if number.isdecimal())

    def _prune(self) -> None:
        recent = self.saved()[-self._keep :]
        needed = set(recent)
        for updates in recent:
            try:
                # Should the newest checkpoint be damaged, the run resumes from an older one and
                # needs those that were best at its time.
                needed.update(_read_body(self.directory / f"{_PREFIX}{updates:09d}")["best"])
            except CheckpointError:
                continue  # damaged; `newest` warns if it is ever needed
        for updates in set(self.saved()) - needed:
            shutil.rmtree(self.directory / f"{_PREFIX}{updates:09d}", ignore_errors=True)


def check_identity(saved: Mapping[str, Any], ours: Mapping[str, Any], where: Path) -> None:
    """Raise CheckpointError naming the first key in which a saved run differs from this one."""
    for key in ours:
        if saved.get(key) != ours[key]:
            raise CheckpointError(
                f"{where}: expected checkpoints of this training run, got those of another one: "
                f"{key} is {saved.get(key)} there and {ours[key]} here; use the same settings and "
                "data, another folder for checkpoints, or delete these (longspan train --fresh)"
            )


def _read_body(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        body: dict[str, Any] = content["body"]
        if content["sha256"] != _digest(body):
            raise CheckpointError(f"{folder}: {_STATE} does not match its checksum")
        version = body["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{folder}: expected {_STATE}, got: {_reason(error)}") from error
    if version != _FORMAT:
        raise CheckpointError(f"{folder}: expected checkpoint format {_FORMAT}, got {version}")
    return body


def _digest(body: Mapping[str, Any]) -> str:
    # Sorted, so that a body read from its file has the same bytes.
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, DataError | SafetensorError):
        return str(error)
    return (error.strerror if isinstance(error, OSError) else None) or repr(error)
