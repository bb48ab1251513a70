"""Folders of a job's containers that are mirrored to S3 while the job runs.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from longspan.infra.local.control.s3_objects import Upload, download, files_below, list_objects

__all__ = ["Mirror"]

_SECONDS = 5.0  # between two uploads


@dataclass
class Mirror:
    """Mirror of `folder`, below each container's base, at `uri`.

    With `remove`, a file that is deleted in the folder is deleted on S3.
    """

    uri: str
    folder: str
    upload: Upload
    remove: bool = False
    _seen: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _next: float = 0.0

    def fetch(self, bases: Sequence[Path]) -> None:
        """Download the files of an earlier job to every host. Raises ClientError."""
        # With the slash: the prefix `job-1` alone would also match the files of `job-10`.
        objects = list_objects(self.upload.s3, f"{self.uri.rstrip('/')}/")
        for base in bases:
            download(self.upload.s3, objects, base / self.folder)
            # Not uploaded again, unless a container changes them.
            self._seen.update({path: _state(path) for path in files_below(base / self.folder)})

    def upload_changes(self, bases: Sequence[Path]) -> None:
        """Upload changed files, once in a few seconds. Raises ClientError."""
        if time.monotonic() >= self._next:
            self.finish(bases)
            self._next = time.monotonic() + _SECONDS

    def finish(self, bases: Sequence[Path]) -> None:
        """Upload changed files now. Raises ClientError."""
        for base in bases:
            self._mirror(base / self.folder)

    def _mirror(self, folder: Path) -> None:
        found = {path: _state(path) for path in files_below(folder)}
        changed = [path for path, state in found.items() if self._seen.get(path) != state]
        # A file may be replaced at this moment: the next round uploads it.
        present = [path for path in changed if path.is_file()]
        self.upload.files(folder, self.uri, present)
        # Only uploaded files count as seen, with their state before the upload: a file that changed
        # during it is uploaded again.
        self._seen.update({path: found[path] for path in present})
        gone = [path for path in self._seen if path.is_relative_to(folder) and path not in found]
        for path in gone:
            del self._seen[path]
            if self.remove:
                self.upload.remove(f"{self.uri.rstrip('/')}/{path.relative_to(folder).as_posix()}")


def _state(path: Path) -> tuple[int, int]:
    """Return size and time, which change with the content; zeros for a file just deleted."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
