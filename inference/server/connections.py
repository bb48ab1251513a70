"""Connections: uvicorn's, with limits of time for silent clients, and with refusals in JSON.

This module uses private parts of uvicorn; `tests/inference/server/test_uvicorn.py` names them.
"""

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

REQUEST_LOG = "request_log"  # key of the log in the application's state
_IDLE = 75.0  # seconds to the first byte; SageMaker keeps its connections open for a minute
_HEAD = 20.0  # seconds from the first byte of a request's head to its last
_UNTAKEN = 60.0  # seconds that a client may leave an answer unread
# Bytes read at a time. h11 takes some ten microseconds for each chunk of a body, and a body may
# come in chunks of one byte. Other clients wait meanwhile.
_PIECE = 1 << 12
_AUTHORITY = re.compile(rb"https?://[^/]*", re.IGNORECASE)


class HttpConnection(H11Protocol):
    """A connection that is closed when a request's head takes too long, and refuses in JSON.

    Bytes that are not HTTP are refused here before there is a request, and in the middle of a body
    where the application reads the body.
    """

    _head_due: float | None = None
    _broken: Malformed | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # uvicorn calls `app`; `_answer` stands between it and the application.
        self._application, self.app = self.app, self._answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first byte of a request."""
        super().connection_made(transport)
        transport.max_size = _PIECE  # type: ignore[attr-defined]
        self._close_at(self.loop.time() + _IDLE)

    def data_received(self, data: bytes) -> None:
        """Read some bytes; a head that is not complete must be so within `_HEAD` seconds."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_due = None
        elif self.timeout_keep_alive_task is None and not self.transport.is_closing():
            # Not moved by later bytes, so a client cannot hold the connection with a byte now and
            # then.
            self._head_due = self._head_due or self.loop.time() + _HEAD
            self._close_at(self._head_due)

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that h11 cannot read; uvicorn calls this while it handles h11's error."""
        error = sys.exception()
        assert isinstance(error, h11.RemoteProtocolError)
        refusal = Malformed(
            f"expected HTTP/1.1, got something else ({error}); check what the client sends",
            error.error_status_hint,
        )
        if self.cycle is not None and not self.cycle.response_complete:
            self._broken = self._broken or refusal
            self.headers.append(CLOSE_HEADER)  # makes the answer say "close" too
            self.cycle.message_event.set()  # wakes `_answer`
            return
        if self.conn.our_state in (
            h11.IDLE,
            h11.SEND_RESPONSE,
        ):  # else the client already has an answer
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
        return False  # and log nothing, where uvicorn would warn

    def _close_at(self, time: float) -> None:
        # uvicorn's own timer: new data and the end of the connection stop it.
        self.timeout_keep_alive_task = self.loop.call_at(time, self.timeout_keep_alive_handler)


def _take_path(scope: Scope) -> None:
    """Replace a request target in absolute form, which servers must accept, with its path.

    RFC 9112, section 3.2.2.
    """
    raw = scope["raw_path"]
    if authority := _AUTHORITY.match(raw):
        scope["raw_path"] = raw[authority.end() :] or b"/"
        scope["path"] = unquote(scope["raw_path"].decode("ascii"))


def listen_patiently(server: socket.socket) -> None:
    """Set options of a listening socket that its connections inherit."""
    # Head and body of an answer are sent separately. Without this option the body waits up to 40 ms
    # until the client acknowledges the head.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * _UNTAKEN))


def allow_many() -> None:
    """Raise this process's limit of open connections to the most that the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # the system may refuse that
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
