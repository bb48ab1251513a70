"""Clients: what they send, and whether they are still there."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.types import Receive

from longspan.inference.refusals import TooLong, TooSlow

__all__ = ["ClientGone", "read_body", "unless_gone"]

# Bodies of so many times the limit are read, to be refused in a way that clients hear.
_PATIENCE = 4
_SILENCE = 10.0  # seconds in which some of a body must come

ResultT = TypeVar("ResultT")


class ClientGone(Exception):  # noqa: N818 - the client's choice
    """Nobody waits for the answer any more."""


async def read_body(headers: Headers, receive: Receive, most: int) -> bytes:
    """The body, of at most so many bytes.

    Raises TooLong, as soon as it is; one that says so beforehand is read to its end, and thrown
    away, since many clients listen only then. Raises TooSlow, ClientGone.
    """
    given = headers.get("content-length", "")
    declared = int(given) if given.isdecimal() else 0
    if declared > most * _PATIENCE:
        raise _too_long(declared, most)
    chunks, size = [], 0
    more = True
    while more:
        chunk, more = await _chunk(receive)
        size += len(chunk)
        if size <= most:
            chunks.append(chunk)
        elif not declared:
            raise _too_long(size, most)
    if size > most:
        raise _too_long(size, most)
    return b"".join(chunks)


async def unless_gone(work: Awaitable[ResultT], receive: Receive) -> ResultT:
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


async def _chunk(receive: Receive) -> tuple[bytes, bool]:
    """Some bytes, and whether there are more."""
    try:
        async with asyncio.timeout(_SILENCE):
            message = await receive()
    except TimeoutError:
        raise TooSlow(
            f"body: expected its next bytes within {_SILENCE:g} seconds, came none: send it again"
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
