"""Deadlines: each request ends by its own, and all of them when the server ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from longspan.inference.refusals import Refusal, TooLate, Unavailable

__all__ = ["Deadlines"]


class Deadlines:
    """Gives each request `seconds` of time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: set[asyncio.Timeout] = set()
        self._ended = False

    def new(self) -> float:
        """Return the deadline of a request that begins now, by the loop's clock."""
        return asyncio.get_running_loop().time() + self._seconds

    @asynccontextmanager
    async def within(self, deadline: float, late: Refusal | None = None) -> AsyncIterator[None]:
        """Limit the time of the context.

        Raises `late` (default: a TooLate) after the deadline, Unavailable after `end`.
        """
        try:
            # 0.0 is in the past: the context ends when it first waits.
            async with asyncio.timeout_at(0.0 if self._ended else deadline) as timeout:
                self._running.add(timeout)
                try:
                    yield
                finally:
                    self._running.discard(timeout)
        except TimeoutError:
            if self._ended:
                raise Unavailable(
                    "the server is ending before the answer is complete; send the request again"
                ) from None
            raise late or TooLate(
                f"no answer within {self._seconds:g} seconds; send less text at a time, or use "
                "profile fast"
            ) from None

    def end(self) -> None:
        """End all requests now, and all that begin later."""
        self._ended = True
        for timeout in self._running:
            # An expired timeout cannot be moved and raises RuntimeError.
            if not timeout.expired():
                timeout.reschedule(0.0)
