"""Admission: so many requests at a time, and how long the others should wait.

A body is read before its request is admitted, so that clients who send slowly take no places. What
they take is memory: small bodies are always read, larger ones while there is room for them.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from longspan.inference.refusals import Busy

__all__ = ["Admission"]

_MEMORY = 0.1  # weight of the newest request in the mean
_LONGEST_ADVICE = 30
_SMALL = 1 << 16  # bytes; as much as the connection itself may hold


class Admission:
    """Counts the requests that are being answered, `most` of them at a time.

    The bodies that are here, those that are still coming too, have `most_bytes` together.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bodies = 0
        self._seconds = 1.0  # that a request takes, in the mean
        self.bytes = 0
        self.inside = 0

    @property
    def arriving(self) -> int:
        """Requests whose body is on its way."""
        return self._bodies - self.inside

    @contextmanager
    def body(self) -> Iterator[Callable[[int], None]]:
        """Within, one more body; it says how many bytes of it have come, each time that some do.

        That raises Busy when there is no room for them.
        """
        held = 0

        def grow(size: int) -> None:
            nonlocal held
            if held + size > _SMALL and self.bytes + size > self._most_bytes:
                raise self._busy(
                    f"expected requests of at most {self._most_bytes:,} bytes together, came more"
                )
            held += size
            self.bytes += size

        self._bodies += 1
        try:
            yield grow
        finally:
            self._bodies -= 1
            self.bytes -= held

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Within, one more is answered. Raises Busy when there is no room."""
        if self.inside >= self._most:
            raise self._busy(f"expected at most {self._most} requests at a time, came one more")
        self.inside += 1
        started = time.monotonic()
        try:
            yield
        finally:
            self.inside -= 1
            self.took(time.monotonic() - started)

    def took(self, seconds: float) -> None:
        """Learn how long a request took."""
        self._seconds += _MEMORY * (seconds - self._seconds)

    def _busy(self, reason: str) -> Busy:
        advice = min(_LONGEST_ADVICE, max(1, math.ceil(self._seconds)))
        return Busy(f"{reason}: try again in {advice} seconds", advice)
