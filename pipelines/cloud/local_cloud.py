"""The local cloud as a process beside this one: start it, or find the one that runs.

It is told to end by the end of its standard input, so it does not outlive this process however
that ends.
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
# What a running cloud leaves in its directory for others to find it.
_CARD = "cloud.json"
# Held by a cloud as long as it lives.
_LOCK = "cloud.lock"
# A cloud ends its jobs, then saves its state.
_SECONDS_TO_CLOSE = 60.0


class LocalCloudStartError(LongspanError):
    """The local cloud did not start."""


class LocalCloud:
    """A local cloud that this process started; `environment` leads boto3 to it."""

    def __init__(self, directory: Path, *options: str) -> None:
        """Start it and wait until it answers. Raises LocalCloudStartError."""
        self._process = subprocess.Popen(
            [*_UP, "--directory", str(directory), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C reaches this process alone, which decides what becomes of the cloud.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "it crashed: its traceback stands above"}
        if "error" in answer:
            self.close()
            raise LocalCloudStartError(f"the local cloud did not start: {answer['error']}")
        self.environment: Mapping[str, str] = answer

    def ended(self) -> int | None:
        """The exit status if it has ended by itself."""
        return self._process.poll()

    def close(self) -> None:
        """End it and all that it runs; its state stays in the directory."""
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
    """The environment of the local cloud that runs on this directory; None when none does."""
    try:
        card = json.loads((directory / _CARD).read_text(encoding="utf-8"))
        os.kill(int(card["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not _is_held(directory / _LOCK):
        return None
    return {name: str(value) for name, value in card.items() if name.isupper()}


def _is_held(lock: Path) -> bool:
    """After a crash the card stays, and another process may have the cloud's number by now."""
    try:
        with lock.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
