"""A directory belongs to one running local cloud, which leaves its card there for others.

`cloud.json` holds the environment that leads to the cloud and its process id; it is gone when the
cloud is, except after a crash.
"""

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


class Claim:
    """Held from creation to `release`; a process that dies releases it too."""

    def __init__(self, directory: Path) -> None:
        """Raises LocalCloudError when another local cloud runs on this directory."""
        directory.mkdir(parents=True, exist_ok=True)
        self._card = directory / CARD
        self._lock = (directory / _LOCK).open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise LocalCloudError(
                f"{directory}: expected a directory of its own, another local cloud runs on it"
                f"{_holder(self._card)}; use that one, stop it, or name another directory"
            ) from None
        # What a crashed cloud left would lead nowhere.
        self._card.unlink(missing_ok=True)

    def publish(self, environment: Mapping[str, str]) -> None:
        """Leave the card, which holds a secret: only its owner may read it."""
        content = json.dumps({**environment, "pid": os.getpid()}, indent=2)
        write_atomically(self._card, content.encode(), mode=0o600)

    def release(self) -> None:
        """Take the card away and let others have the directory."""
        self._card.unlink(missing_ok=True)
        self._lock.close()

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _holder(card: Path) -> str:
    """Whose the directory is, as far as its card tells."""
    try:
        return f" (process {json.loads(card.read_text(encoding='utf-8'))['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
