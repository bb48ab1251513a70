"""Connections: uvicorn's, with an end to those that say or take nothing."""

import asyncio
import contextlib
import resource
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Connection", "allow_many", "listen_patiently"]

_IDLE = 75.0  # seconds to the first byte; SageMaker keeps its connections open for a minute
_HEAD = 20.0  # seconds from the first byte of a request's head to its last
_UNTAKEN = 60.0  # seconds that a client may leave an answer lying


class Connection(H11Protocol):
    """Closed when a request's head does not come, byte by byte though it may."""

    _head_due: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        self._close_at(self.loop.time() + _IDLE)

    def data_received(self, data: bytes) -> None:
        """Some bytes: if they are not yet a request, the rest must come in time."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_due = None
        elif self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self._head_due = self._head_due or self.loop.time() + _HEAD
            self._close_at(self._head_due)

    def _should_upgrade(self) -> bool:
        return False  # nor a word about it in the log

    def _close_at(self, time: float) -> None:
        # Uvicorn's own timer, which new data and the end of the connection stop.
        self.timeout_keep_alive_task = self.loop.call_at(time, self.timeout_keep_alive_handler)


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
