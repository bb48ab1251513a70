"""Checkpoints of a training job: there when it starts, mirrored to S3 while it runs.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longspan.infra.local.jobs.s3_objects import Upload, download, list_objects

__all__ = ["Checkpoints"]

_FOLDER = "/opt/ml/checkpoints"
_SECONDS = 5.0


class Checkpoints:
    """Of one job; without a URI all of it does nothing."""

    def __init__(self, uri: str, folder: str, upload: Upload) -> None:
        self._uri = uri.rstrip("/")
        self._folder = folder  # below the container's base
        self._upload = upload
        self._seen: dict[Path, tuple[int, int]] = {}
        self._next = 0.0

    @classmethod
    def parse(cls, config: Mapping[str, Any], upload: Upload) -> "Checkpoints":
        """From a CheckpointConfig, which may be empty."""
        path = config.get("LocalPath", _FOLDER)
        return cls(config.get("S3Uri", ""), path.removeprefix("/opt/ml").strip("/"), upload)

    def fetch(self, bases: Sequence[Path]) -> None:
        """What an earlier job left, on every host. Raises ClientError."""
        if not self._uri:
            return
        objects = list_objects(self._upload.s3, f"{self._uri}/")
        for base in bases:
            download(self._upload.s3, objects, base / self._folder)
            self._seen.update({path: _state(path) for path in self._paths(base)})

    def mirror(self, bases: Sequence[Path]) -> None:
        """Upload what has changed, now and then. Raises ClientError."""
        if self._uri and time.monotonic() >= self._next:
            self.finish(bases)
            self._next = time.monotonic() + _SECONDS

    def finish(self, bases: Sequence[Path]) -> None:
        """Upload what has changed and remove what is gone. Raises ClientError."""
        if not self._uri:
            return
        for base in bases:
            self._mirror_one(base)

    def _mirror_one(self, base: Path) -> None:
        folder = base / self._folder
        found = {path: _state(path) for path in self._paths(base)}
        changed = [path for path, state in found.items() if self._seen.get(path) != state]
        # A checkpoint's writer may replace a file under our hands: the next round takes it then.
        present = [path for path in changed if path.is_file()]
        self._upload.files(folder, self._uri, present)
        for path in [p for p in self._seen if p.is_relative_to(folder) and p not in found]:
            self._upload.remove(f"{self._uri}/{path.relative_to(folder).as_posix()}")
            del self._seen[path]
        self._seen.update({path: found[path] for path in present})

    def _paths(self, base: Path) -> list[Path]:
        return [path for path in (base / self._folder).rglob("*") if path.is_file()]


def _state(path: Path) -> tuple[int, int]:
    """What changes with a file's content; zeros for one that has just gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
