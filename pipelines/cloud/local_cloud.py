"""The local cloud as a child process: start it, or find the one that runs.

The end of its standard input tells it to end, so it never outlives this process.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from longspan.training.errors import LongspanError

__all__ = ["LocalCloud", "LocalCloudStartError", "find_running"]

_UP = (sys.executable, "-m", "longspan.infra.local", "up", "--until-eof")
# Names of `longspan.infra.local.claim`, which this package must not import.
# A running cloud writes its address and process id to this file, so that others find it.
_CARD = "cloud.json"
# A cloud holds a lock on this file as long as it runs.
_LOCK = "cloud.lock"
# Time for a cloud to end its jobs and to save its state.
_SECONDS_TO_CLOSE = 60.0


class LocalCloudStartError(LongspanError):
    """The local cloud did not start."""


class LocalCloud:
    """A local cloud that this process started.

    `environment` holds the variables that point boto3 to it.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        """Start a cloud on `directory` and wait until it answers. Raises LocalCloudStartError."""
        self._process = subprocess.Popen(
            [*_UP, "--directory", str(directory), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A session of its own: Ctrl-C reaches only this process, which then ends the cloud.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        # The cloud prints one line: its environment, or {"error": ...}.
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "it crashed; see the traceback above"}
        if "error" in answer:
            self.close()
            raise LocalCloudStartError(f"the local cloud did not start: {answer['error']}")
        self.environment: Mapping[str, str] = answer

    def ended(self) -> int | None:
        """Return the exit status if the cloud has ended by itself, else None."""
        return self._process.poll()

    def close(self) -> None:
        """End the cloud and everything that it runs; its state stays in the directory."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_SECONDS_TO_CLOSE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> "LocalCloud":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def find_running(directory: Path) -> Mapping[str, str] | None:
    """Return the environment of the local cloud that runs on `directory`, or None."""
    try:
        card = json.loads((directory / _CARD).read_text(encoding="utf-8"))
        # Signal 0 only asks whether the process exists.
        os.kill(int(card["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not _is_held(directory / _LOCK):
        return None
    # Environment variables are in capitals; `pid` is not.
    return {name: str(value) for name, value in card.items() if name.isupper()}


def _is_held(lock: Path) -> bool:
    """Return whether a running cloud holds the lock.

    After a crash the card remains, and another process may have got the cloud's process id.
    """
    try:
        with lock.open(encoding="utf-8") as file:
            # Shared: two commands that look at the same time do not take each other for a cloud.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
