"""This machine's own `/opt/ml`, where programs write that cannot get another one.

Only for runtimes whose containers do not see their folder there.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from longspan.infra.local.containers.failures import JobFailure

__all__ = ["OwnRoot"]

_ROOT = Path("/opt/ml")


class OwnRoot:
    """State of `/opt/ml` when a job started; `no_root` is the runtime's reason, or empty."""

    def __init__(self, no_root: str, root: Path = _ROOT) -> None:
        self._no_root = no_root
        self._root = root
        self._before = self._state()

    def check_untouched(self) -> None:
        """Raise JobFailure if a file was written there since then."""
        before = self._before
        changed = [path for path, state in self._state().items() if before.get(path) != state]
        if changed:
            raise JobFailure(
                f"ClientError: the program wrote {min(changed)} on this machine itself, not in the "
                f"job. {self._advice}"
            )

    def check_output(self, path: str, *, empty: bool) -> None:
        """Raise JobFailure for an output at `path` that is empty: it may have gone elsewhere."""
        if empty and self._no_root:
            raise JobFailure(
                f"ClientError: expected files in the output {path}, got none. {self._advice}"
            )

    @property
    def _advice(self) -> str:
        return (
            f"A process cannot get its own {_ROOT} here ({self._no_root}): write below the folder "
            "that the variable LONGSPAN_BASE names, or that the job's arguments name, or use "
            "--runtime docker"
        )

    def _state(self) -> Mapping[str, tuple[int, int]]:
        return dict(_files(self._root)) if self._no_root else {}


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue
            yield str(path), (found.st_mtime_ns, found.st_size)
