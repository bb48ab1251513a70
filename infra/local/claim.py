"""Claim of a directory by one running local cloud, and the card by which others find it.

The card, `cloud.json`, has the environment variables of the cloud and its process id. The cloud
removes it at its end; after a crash it stays.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path

from longspan.infra.errors import LocalCloudError
from longspan.training.files import write_atomically

__all__ = ["CARD", "Claim"]

CARD = "cloud.json"
_LOCK = "cloud.lock"
# Folders with keys, objects and logs, which other users of the machine must not read.
_PRIVATE = ("state", "services", "work")


class Claim:
    """Lock on a directory, from creation to `release` or the end of the process."""

    def __init__(self, directory: Path) -> None:
        """Lock the directory, and create its folders, which only their owner can read.

        Raises LocalCloudError when another local cloud has the directory.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._card = directory / CARD
        self._lock = (directory / _LOCK).open("a")
        try:
            # The system frees this lock when the process ends, also in a crash; a file alone would
            # stay.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise LocalCloudError(
                f"{directory}: expected an unused directory, another local cloud runs on it"
                f"{_holder(self._card)}; use that one, stop it, or give another directory"
            ) from None
        for name in _PRIVATE:
            folder = directory / name
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
        # The card of a crashed cloud names a cloud that has ended.
        self._card.unlink(missing_ok=True)

    def publish(self, environment: Mapping[str, str]) -> None:
        """Write the card, readable by its owner alone, since it has a secret key."""
        content = json.dumps({**environment, "pid": os.getpid()}, indent=2)
        write_atomically(self._card, content.encode(), mode=0o600)

    def release(self) -> None:
        """Remove the card, and unlock the directory."""
        for name in _PRIVATE:
            with contextlib.suppress(OSError):  # it is not empty
                (self._directory / name).rmdir()
        # Before the lock is free: afterwards the card may be that of the next cloud.
        self._card.unlink(missing_ok=True)
        self._lock.close()

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _holder(card: Path) -> str:
    """Return the process that has the directory, for a message; empty without a card."""
    try:
        return f" (process {json.loads(card.read_text(encoding='utf-8'))['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
