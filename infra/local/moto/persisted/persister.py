"""Persistence of moto's state: saved soon after a change, restored by the next local cloud.

SageMaker's own documents are on disk before a client sees them. Of moto's services, a crash can
lose the changes of the last second.
"""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.clients import Clients
from longspan.infra.local.moto.persisted.buckets import PersistedBuckets
from longspan.infra.local.moto.persisted.identities import PersistedIdentities
from longspan.infra.local.moto.persisted.log_groups import PersistedLogGroups
from longspan.infra.local.moto.persisted.scaling import PersistedScaling

__all__ = ["PERSISTER_AGENT", "PersistedService", "Persister"]

# User agent of the persister's own requests, which change nothing.
PERSISTER_AGENT = "longspan-persister"
# Seconds to wait after a change: changes come in bursts, and one save covers all of them.
_PAUSE = 1.0


class PersistedService(Protocol):
    """State of one of moto's services, in files."""

    def restore(self, clients: Clients) -> None:
        """Load the saved state into a service that is empty."""
        ...

    def save(self, clients: Clients, region: str) -> None:
        """Save what has changed since the last call; global services ignore `region`."""
        ...


class Persister:
    """Persistence of all services, below `directory`."""

    def __init__(self, directory: Path, *, saves: bool = True) -> None:
        """With `saves` false, only restore."""
        self._directory = directory
        self._saves = saves
        self._services: Mapping[str, PersistedService] = {
            "iam": PersistedIdentities(directory / "iam.json"),
            "s3": PersistedBuckets(directory / "s3"),
            "logs": PersistedLogGroups(directory / "logs"),
            "application-autoscaling": PersistedScaling(directory / "application-autoscaling"),
        }
        self._changes: set[tuple[str, str]] = set()
        self._failures: dict[
            tuple[str, str], Exception
        ] = {}  # by service and region, of last saves
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def restore(self, clients: Clients) -> None:
        """Restore all services, before the first request of a client.

        Raises LocalCloudError for files that cannot be restored.
        """
        for service, persisted in self._services.items():
            try:
                persisted.restore(clients)
            except LocalCloudError:
                raise
            except Exception as error:
                raise LocalCloudError(
                    f"{self._directory}: the state of {service} cannot be restored "
                    f"({type(error).__name__}: {error}); delete it there, or start on another "
                    "directory"
                ) from error

    def start(self, clients: Clients) -> None:
        """Start the thread that saves; `clients` are the administrator's."""
        if not self._saves:
            return
        self._thread = threading.Thread(
            target=self._run, args=(clients,), name="persister", daemon=True
        )
        self._thread.start()

    def changed(self, service: str, region: str) -> None:
        """Note that a request may have changed the state of a service."""
        if service in self._services:
            with self._lock:
                # Before the thread wakes up, which may look at once.
                self._changes.add((service, region))
            self._woken.set()

    def full(self, service: str) -> str | None:
        """Return why the disk did not take the last changes of a service; None if it did."""
        reasons = (
            error.strerror or str(error)
            for (name, _), error in list(self._failures.items())
            if name == service and isinstance(error, OSError)
        )
        return next(reasons, None)

    def close(self) -> None:
        """Save the last changes, and end the thread.

        Raises LocalCloudError for changes that cannot be saved.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._closing.set()
        self._woken.set()
        thread.join()
        if self._failures:
            lost = ", ".join(f"{name} ({why})" for (name, _), why in self._failures.items())
            raise LocalCloudError(f"{self._directory}: the last changes are lost: {lost}")

    def _run(self, clients: Clients) -> None:
        while not self._closing.is_set():
            self._woken.wait()
            self._closing.wait(_PAUSE)
            # Before the save, so that a change in the meantime starts another round.
            self._woken.clear()
            self._save(clients)
        self._save(clients)  # changes that arrived during the last save

    def _save(self, clients: Clients) -> None:
        with self._lock:
            changes, self._changes = self._changes, set()
        for service, region in sorted(changes):
            try:
                self._services[service].save(clients, region)
            except Exception as error:
                self._note_failure(service, region, error)
            else:
                self._failures.pop((service, region), None)

    def _note_failure(self, service: str, region: str, error: Exception) -> None:
        """Let the next round try again, and log the first failure of a row."""
        if (service, region) not in self._failures:
            logging.getLogger(__name__).error(
                "%s: the state of %s cannot be saved, and is tried again: %s",
                self._directory,
                service,
                error,
                exc_info=None if isinstance(error, OSError) else error,
            )
        self._failures[service, region] = error
        self.changed(service, region)
