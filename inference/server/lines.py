"""Lines on their way to a client that may be slower than the work.

Of partial lines the newest alone is kept, since it holds all of those before it; a whole line
waits until the one before has been taken. So there are two lines at most, whatever the client does.
"""

import asyncio
from collections.abc import AsyncGenerator

__all__ = ["Lines"]


class Lines:
    """Written by one task, read by another one."""

    def __init__(self) -> None:
        self._partial: str | None = None
        self._whole: str | None = None
        self._ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def tell(self, line: str) -> None:
        """A partial line, instead of one that has not been taken."""
        self._partial = line
        self._news.set()

    async def put(self, line: str) -> None:
        """A whole line, instead of the partial ones before it."""
        await self._room.wait()
        self._room.clear()
        self._whole, self._partial = line, None
        self._news.set()

    def end(self) -> None:
        """Nothing more is to come."""
        self._ended = True
        self._news.set()

    async def read(self) -> AsyncGenerator[str, None]:
        """What was written, until its end."""
        while not self._ended or self._whole or self._partial:
            await self._news.wait()
            self._news.clear()
            if self._whole is not None:
                line, self._whole = self._whole, None
                self._room.set()
                yield line
            if self._partial is not None:
                line, self._partial = self._partial, None
                yield line
