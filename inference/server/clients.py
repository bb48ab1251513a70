"""Clients: reading their bodies, and noticing when they disconnect."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.types import Receive

from longspan.inference.refusals import TooLong, TooSlow

__all__ = ["ClientGone", "read_body", "unless_gone"]

# A body of up to this many times the limit is read and thrown away, because many clients read the
# answer after they have sent the body.
_PATIENCE = 4
_SILENCE = 10.0  # the most seconds between two chunks of a body
_SLOWEST = 10_000  # the least mean bytes a second, after the first `_SILENCE` seconds

_ResultT = TypeVar("_ResultT")


class ClientGone(Exception):  # noqa: N818 - the client's choice
    """The client has disconnected."""


async def read_body(
    headers: Headers, receive: Receive, most: int, grow: Callable[[int], None]
) -> bytes:
    """Read a body of at most `most` bytes; `grow` is called with the size of each chunk.

    Raises TooLong for a longer body: at once without a Content-Length, and after reading it where
    a Content-Length of up to `_PATIENCE` times the limit says so. Raises TooSlow, ClientGone, and
    the errors of `grow`.
    """
    given = headers.get("content-length", "")
    declared = int(given) if given.isdecimal() else 0
    if declared > most * _PATIENCE:
        raise _too_long(declared, most)
    body, size = bytearray(), 0
    more = True
    latest = asyncio.get_running_loop().time() + _SILENCE
    while more:
        # The latest time moves with what has come: 10 seconds + bytes / 10,000.
        chunk, more = await _chunk(receive, size, latest + size / _SLOWEST)
        size += len(chunk)
        if size <= most:
            grow(len(chunk))
            body += chunk
        elif not declared:
            raise _too_long(size, most)
    if size > most:
        raise _too_long(size, most)
    return bytes(body)


async def unless_gone(work: Awaitable[_ResultT], receive: Receive) -> _ResultT:
    """Return the result of `work`; cancel it and raise ClientGone when the client disconnects."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        # Before ClientGone: a result counts even if the client has just left.
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        for one in (task, gone):
            one.cancel()
        # The cancelled work is waited for: it tells the workers to drop its jobs.
        await asyncio.gather(task, gone, return_exceptions=True)


async def _chunk(receive: Receive, size: int, latest: float) -> tuple[bytes, bool]:
    """Return the next chunk after `size` bytes, and whether there are more."""
    try:
        async with asyncio.timeout_at(min(asyncio.get_running_loop().time() + _SILENCE, latest)):
            message = await receive()
    except TimeoutError:
        raise TooSlow(
            f"body: expected a part of it every {_SILENCE:g} seconds and at least {_SLOWEST:,} "
            f"bytes a second, got {size:,} bytes until now; send it faster"
        ) from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_long(size: int, most: int) -> TooLong:
    return TooLong(
        f"body: expected at most {most:,} bytes, got {size:,} or more; send it in several requests"
    )
