"""The threads of running jobs: one each, which can be asked to stop."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from longspan.infra.local.control.documents import Key

__all__ = ["Runs", "Signals"]

# A container is killed at once when the cloud closes; what is left is to write it down.
_PATIENCE = 20.0


@dataclass(frozen=True)
class Signals:
    """What a running job is told: `stop` by its user, `close` when the local cloud ends."""

    stop: threading.Event = field(default_factory=threading.Event)
    close: threading.Event = field(default_factory=threading.Event)

    @property
    def ending(self) -> bool:
        """Whether there is no use in going on."""
        return self.stop.is_set() or self.close.is_set()


class Runs:
    """Of one service."""

    def __init__(self) -> None:
        self._running: dict[Key, tuple[threading.Thread, Signals]] = {}
        self._lock = threading.Lock()

    def start(self, key: Key, work: Callable[[Signals], None]) -> None:
        """Run `work` in a thread of its own, which must not raise."""
        signals = Signals()

        def run() -> None:
            try:
                work(signals)
            except Exception:
                logging.getLogger(__name__).exception("%s %s", key.kind, key.name)
            finally:
                with self._lock:
                    del self._running[key]

        thread = threading.Thread(target=run, name=f"{key.kind} {key.name}", daemon=True)
        with self._lock:
            self._running[key] = thread, signals
            thread.start()

    def stop(self, key: Key) -> None:
        """Ask a job to stop; nothing when it has ended meanwhile."""
        with self._lock:
            found = self._running.get(key)
        if found is not None:
            found[1].stop.set()

    def close(self) -> None:
        """End all jobs and wait for their threads."""
        with self._lock:
            running = list(self._running.values())
        for _, signals in running:
            signals.close.set()
        for thread, _ in running:
            thread.join(_PATIENCE)
