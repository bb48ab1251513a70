"""Saves what moto holds soon after it changes, and gives it back to the next local cloud.

SageMaker's own state needs none of this: every document is on disk before it is seen. What a
crash can lose is what others were told in the last second before it.
"""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.clients import Clients
from longspan.infra.local.moto.kept.buckets import Buckets
from longspan.infra.local.moto.kept.identities import Identities
from longspan.infra.local.moto.kept.log_groups import LogGroups
from longspan.infra.local.moto.kept.scaling import Scaling

__all__ = ["AGENT", "Keeper", "Kept"]

# By this the keeper's own requests are known, which change nothing.
AGENT = "longspan-keeper"
# Changes come in bursts: one look for all of them.
_PAUSE = 1.0


class Kept(Protocol):
    """The state of one service."""

    def restore(self, clients: Clients) -> None:
        """Put back what was saved, into a service that is empty."""
        ...

    def save(self, clients: Clients, region: str) -> None:
        """Save what has changed since; services without regions ignore `region`."""
        ...


class Keeper:
    """Of all services that are kept, below `directory`; with `kept` false it gives back alone."""

    def __init__(self, directory: Path, *, kept: bool = True) -> None:
        self._directory = directory
        self._saves = kept
        self._kept: Mapping[str, Kept] = {
            "iam": Identities(directory / "iam.json"),
            "s3": Buckets(directory / "s3"),
            "logs": LogGroups(directory / "logs"),
            "application-autoscaling": Scaling(directory / "application-autoscaling"),
        }
        self._changes: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def restore(self, clients: Clients) -> None:
        """Before anything else asks for it. Raises LocalCloudError for what cannot be."""
        for service, kept in self._kept.items():
            try:
                kept.restore(clients)
            except LocalCloudError:
                raise
            except Exception as error:
                raise LocalCloudError(
                    f"{self._directory}: the state of {service} cannot be restored "
                    f"({type(error).__name__}: {error}); delete it there, or start on another "
                    "directory"
                ) from error

    def start(self, clients: Clients) -> None:
        """Save from now on, in a thread; `clients` are the administrator's."""
        if not self._saves:
            return
        self._thread = threading.Thread(
            target=self._run, args=(clients,), name="keeper", daemon=True
        )
        self._thread.start()

    def changed(self, service: str, region: str) -> None:
        """A request may have changed a service's state."""
        if service in self._kept:
            with self._lock:
                self._changes.add((service, region))
            self._woken.set()

    def close(self) -> None:
        """Save what is left to save, and end."""
        if self._thread is not None:
            self._closing.set()
            self._woken.set()
            self._thread.join()

    def _run(self, clients: Clients) -> None:
        while not self._closing.is_set():
            self._woken.wait()
            self._closing.wait(_PAUSE)
            self._woken.clear()
            self._save(clients)
        self._save(clients)  # what changed while it was saving

    def _save(self, clients: Clients) -> None:
        with self._lock:
            changes, self._changes = self._changes, set()
        for service, region in sorted(changes):
            try:
                self._kept[service].save(clients, region)
            except Exception:  # the next change is another chance
                logging.getLogger(__name__).exception("the state of %s was not saved", service)
