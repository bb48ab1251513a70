"""Lines between the translation of a stream and its client, which may be slower.

A partial line replaces the one before, because it contains it. A whole line waits until the client
has read the whole line before. So at most two lines are in memory, however slow the client is:

    tell(partial) tell(partial) put(whole) ...  ->  | newest partial | whole |  ->  read()
"""

import asyncio
from collections.abc import AsyncGenerator

__all__ = ["Lines"]


class Lines:
    """A buffer of two lines that one task writes and another one reads."""

    def __init__(self) -> None:
        self._partial: str | None = None
        self._whole: str | None = None
        self._ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def tell(self, line: str) -> None:
        """Write a partial line; it replaces one that has not been read."""
        self._partial = line
        self._news.set()

    async def put(self, line: str) -> None:
        """Write a whole line; it replaces a partial one that has not been read."""
        await self._room.wait()
        self._room.clear()
        self._whole, self._partial = line, None
        self._news.set()

    def end(self) -> None:
        """Say that no more lines follow."""
        self._ended = True
        self._news.set()

    async def read(self) -> AsyncGenerator[str, None]:
        """Yield the lines until the end."""
        while not self._ended or self._whole or self._partial:
            await self._news.wait()
            # Before the lines are yielded, since the writer may add others meanwhile.
            self._news.clear()
            # The whole line first: `put` clears a partial one, so one beside it is of the next
            # text.
            if self._whole is not None:
                line, self._whole = self._whole, None
                self._room.set()
                yield line
            if self._partial is not None:
                line, self._partial = self._partial, None
                yield line
