"""Registry of the local cloud's threads: one for each job, execution, step and endpoint change.

All work in the background starts here, so that closing the cloud tells and joins it in one place.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from longspan.infra.local.control.documents import Documents, Key

__all__ = ["Signals", "Threads"]

# Containers are killed at once when the cloud closes; what remains is to write that down.
_SECONDS_TO_JOIN = 30.0


@dataclass(frozen=True)
class Signals:
    """Events for running work: a user sets `stop`, the end of the local cloud sets `close`."""

    stop: threading.Event = field(default_factory=threading.Event)
    close: threading.Event = field(default_factory=threading.Event)

    @property
    def ending(self) -> bool:
        """Whether the work must end."""
        return self.stop.is_set() or self.close.is_set()


class Threads:
    """Threads that run now, each with the key of the document that it works on."""

    def __init__(self, documents: Documents) -> None:
        """Waits for a change of `documents` end when the cloud closes."""
        self._documents = documents
        self._running: dict[threading.Thread, tuple[Key, Signals]] = {}
        self._closing = threading.Event()
        self._at_close: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    @property
    def closing(self) -> threading.Event:
        """Event that is set when the local cloud ends; the `close` of all signals."""
        return self._closing

    def start(self, key: Key, work: Callable[[Signals], object]) -> None:
        """Run `work` in a new thread; log an exception that it raises."""
        signals = Signals(close=self._closing)

        def run() -> None:
            try:
                with self._documents.patient():
                    work(signals)
            except Exception:
                logging.getLogger(__name__).exception("%s %s", key.kind, key.name)
            finally:
                with self._lock:
                    del self._running[thread]

        thread = threading.Thread(target=run, name=f"{key.kind} {key.name}", daemon=True)
        with self._lock:  # registered before it can end
            self._running[thread] = key, signals
            thread.start()

    def stop(self, key: Key) -> None:
        """Set the `stop` signal of the work on a document, if it still runs."""
        with self._lock:
            for other, signals in self._running.values():
                if other == key:
                    signals.stop.set()

    def at_close(self, action: Callable[[], object]) -> None:
        """Call `action` when the cloud closes, before the threads are joined."""
        self._at_close.append(action)

    def close(self) -> None:
        """Tell all work that the cloud ends, and wait until its threads have ended."""
        self._closing.set()
        # After the event: a `wait` that wakes up has to see it.
        self._documents.wake()
        for action in self._at_close:
            # Kills the containers for which the threads below wait.
            action()
        # One thread after the other, in any order: work may still start threads while it ends.
        deadline = time.monotonic() + _SECONDS_TO_JOIN
        while (thread := self._any()) is not None and time.monotonic() < deadline:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _any(self) -> threading.Thread | None:
        with self._lock:
            return next(iter(self._running), None)
