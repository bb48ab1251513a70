"""Deadlines: every request ends by its own, and all of them at once when the server does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from longspan.inference.refusals import Refusal, TooLate, Unavailable

__all__ = ["Deadlines"]


class Deadlines:
    """Gives each request `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: set[asyncio.Timeout] = set()
        self._ended = False

    def new(self) -> float:
        """The deadline of a request that has come, by the loop's clock."""
        return asyncio.get_running_loop().time() + self._seconds

    @asynccontextmanager
    async def within(self, deadline: float, late: Refusal | None = None) -> AsyncIterator[None]:
        """Raises `late` for what lasts longer, by default a TooLate.

        Raises Unavailable when all have to end before.
        """
        try:
            async with asyncio.timeout_at(0.0 if self._ended else deadline) as timeout:
                self._running.add(timeout)
                try:
                    yield
                finally:
                    self._running.discard(timeout)
        except TimeoutError:
            if self._ended:
                raise Unavailable("the server ends before it could answer; send it again") from None
            raise late or TooLate(
                f"no answer within {self._seconds:g} seconds: send less text at a time, or use "
                "profile fast"
            ) from None

    def end(self) -> None:
        """Now is the deadline of all that is there and all that may still come."""
        self._ended = True
        for timeout in self._running:
            if not timeout.expired():
                timeout.reschedule(0.0)
