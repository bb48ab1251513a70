"""Admission: limits of requests and bytes at a time, and how long a refused client should wait.

A body is read before its request is admitted, so that slow clients do not take the place of others.
They take memory: a small body is always read, a larger one while there is room for it.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from longspan.inference.refusals import Busy

__all__ = ["Admission"]

_MEMORY = 0.1  # weight of the newest request in the running mean
_LONGEST_ADVICE = 30  # seconds
_SMALL = 1 << 16  # bytes, as much as the connection itself may hold


class Admission:
    """Admits at most `most` requests at a time, and bodies of at most `most_bytes` together.

    Bodies count from their first byte.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bodies = 0
        self._seconds = 1.0  # mean duration of a request
        self.bytes = 0
        self.inside = 0

    @property
    def arriving(self) -> int:
        """Number of requests whose body is still being read."""
        return self._bodies - self.inside

    @contextmanager
    def body(self) -> Iterator[Callable[[int], None]]:
        """Count one more body within the context.

        Yields a function to call with the size of each chunk; it raises Busy when there is no room.
        """
        held = 0

        def grow(size: int) -> None:
            nonlocal held
            # Refused before it is counted, so the counts stay right for other bodies.
            if held + size > _SMALL and self.bytes + size > self._most_bytes:
                raise self._busy(
                    f"expected requests of at most {self._most_bytes:,} bytes together, got more"
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
        """Count one more request within the context. Raises Busy when there is no room."""
        if self.inside >= self._most:
            raise self._busy(f"expected at most {self._most} requests at a time, got one more")
        self.inside += 1
        started = time.monotonic()
        try:
            yield
        finally:
            self.inside -= 1
            self.took(time.monotonic() - started)

    def took(self, seconds: float) -> None:
        """Add the duration of a request to the mean."""
        self._seconds += _MEMORY * (seconds - self._seconds)

    def _busy(self, reason: str) -> Busy:
        advice = min(_LONGEST_ADVICE, max(1, math.ceil(self._seconds)))
        return Busy(f"{reason}; try again in {advice} seconds", advice)
