"""Clients: what they send, and whether they are still there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.types import Receive

from longspan.inference.refusals import TooLong, TooSlow

__all__ = ["ClientGone", "read_body", "unless_gone"]

# Bodies of so many times the limit are read, to be refused in a way that clients hear.
_PATIENCE = 4
_SILENCE = 10.0  # seconds in which some of a body must come
_SLOWEST = 10_000  # bytes a second of it, in the mean, after as many seconds

_ResultT = TypeVar("_ResultT")


class ClientGone(Exception):  # noqa: N818 - the client's choice
    """Nobody waits for the answer any more."""


async def read_body(
    headers: Headers, receive: Receive, most: int, grow: Callable[[int], None]
) -> bytes:
    """The body, of at most so many bytes; `grow` is told of those that are kept.

    Raises TooLong, as soon as it is; one that says so beforehand is read to its end, and thrown
    away, since many clients listen only then. Raises TooSlow, ClientGone, and what `grow` does.
    """
    given = headers.get("content-length", "")
    declared = int(given) if given.isdecimal() else 0
    if declared > most * _PATIENCE:
        raise _too_long(declared, most)
    body, size = bytearray(), 0
    more = True
    latest = asyncio.get_running_loop().time() + _SILENCE
    while more:
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
    """The result; when the client has gone before, the work is cancelled."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _chunk(receive: Receive, size: int, latest: float) -> tuple[bytes, bool]:
    """Some bytes after the first `size`, and whether there are more."""
    try:
        async with asyncio.timeout_at(min(asyncio.get_running_loop().time() + _SILENCE, latest)):
            message = await receive()
    except TimeoutError:
        raise TooSlow(
            f"body: expected some of it every {_SILENCE:g} seconds, and then {_SLOWEST:,} bytes a "
            f"second in the mean, came {size:,} bytes until now: send it faster"
        ) from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_long(size: int, most: int) -> TooLong:
    return TooLong(
        f"body: expected at most {most:,} bytes, came {size:,} or more: send it in several requests"
    )
