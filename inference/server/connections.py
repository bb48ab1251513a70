"""Connections: uvicorn's, with an end to those that say or take nothing, and refusals in JSON."""

import asyncio
import contextlib
import re
import resource
import socket
import sys
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import h11
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

from longspan.inference.refusals import Malformed
from longspan.inference.server.request_log import refusal_response

__all__ = ["REQUEST_LOG", "HttpConnection", "allow_many", "listen_patiently"]

REQUEST_LOG = "request_log"  # in the application's state: where refusals are written down
_IDLE = 75.0  # seconds to the first byte; SageMaker keeps its connections open for a minute
_HEAD = 20.0  # seconds from the first byte of a request's head to its last
_UNTAKEN = 60.0  # seconds that a client may leave an answer lying
# Bytes read at a time. A body in chunks of one byte takes h11 some ten microseconds a chunk, in
# which nobody else is served.
_PIECE = 1 << 12
_AUTHORITY = re.compile(rb"https?://[^/]*", re.IGNORECASE)


class HttpConnection(H11Protocol):
    """Closed when a request's head does not come, byte by byte though it may.

    What is no HTTP is refused as all else is: before there is a request, here; in the middle of a
    body, where that is read.
    """

    _head_due: float | None = None
    _broken: Malformed | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._application, self.app = self.app, self._answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        transport.max_size = _PIECE  # type: ignore[attr-defined]
        self._close_at(self.loop.time() + _IDLE)

    def data_received(self, data: bytes) -> None:
        """Some bytes: if they are not yet a request, the rest must come in time."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_due = None
        elif self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self._head_due = self._head_due or self.loop.time() + _HEAD
            self._close_at(self._head_due)

    def send_400_response(self, msg: str) -> None:
        """Refuse what h11 cannot read; uvicorn calls this where it has caught h11's error."""
        error = sys.exception()
        assert isinstance(error, h11.RemoteProtocolError)
        refusal = Malformed(
            f"expected HTTP/1.1, came what is none ({error}): see what the client sends",
            error.error_status_hint,
        )
        if self.cycle is not None and not self.cycle.response_complete:
            self._broken = self._broken or refusal
            self.headers.append(CLOSE_HEADER)  # as if asked to, which the answer then says
            self.cycle.message_event.set()  # for `_answer`
            return
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):  # else it has had its answer
            self._refuse(refusal)
        self.transport.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_sound() -> Message:
            message = await receive()
            if self._broken is not None and message.get("more_body"):
                raise self._broken
            return message

        _take_path(scope)
        await self._application(scope, receive_sound, send)

    def _refuse(self, refusal: Malformed) -> None:
        response = refusal_response(refusal, self.app_state[REQUEST_LOG].refuse_unread(refusal))
        headers = [*response.raw_headers, CLOSE_HEADER]
        reason = HTTPStatus(refusal.status).phrase.encode()
        for event in (
            h11.Response(status_code=refusal.status, headers=headers, reason=reason),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")

    def _should_upgrade(self) -> bool:
        return False  # nor a word about it in the log

    def _close_at(self, time: float) -> None:
        # Uvicorn's own timer, which new data and the end of the connection stop.
        self.timeout_keep_alive_task = self.loop.call_at(time, self.timeout_keep_alive_handler)


def _take_path(scope: Scope) -> None:
    """Of a target in absolute form, which servers must accept, its path (RFC 9112, 3.2.2)."""
    raw = scope["raw_path"]
    if authority := _AUTHORITY.match(raw):
        scope["raw_path"] = raw[authority.end() :] or b"/"
        scope["path"] = unquote(scope["raw_path"].decode("ascii"))


def listen_patiently(server: socket.socket) -> None:
    """Options of a listening socket that its connections inherit."""
    # Head and body go out apart, and without this the body waits up to 40 ms until the client
    # acknowledges the head.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * _UNTAKEN))


def allow_many() -> None:
    """As many connections as the system allows this process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems have a limit of their own
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
