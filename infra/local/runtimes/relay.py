"""Relays from the address of a Docker network to a port of this machine's loopback.

The local cloud listens only on 127.0.0.1, which inside a container is the container itself.
"""

import contextlib
import socket
import socketserver
import threading

__all__ = ["Relay"]

_PIECE = 65_536


class Relay(socketserver.ThreadingTCPServer):
    """Server that forwards every connection to `address:port` to `127.0.0.1:port`."""

    # An open connection does not keep `close` or the process waiting.
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: str, port: int) -> None:
        """Start to listen in a thread. Raises OSError when the port is taken."""
        super().__init__((address, port), _Handler)
        self.port = port
        threading.Thread(target=self.serve_forever, name=f"relay {address}", daemon=True).start()

    def close(self) -> None:
        """Stop listening; open connections continue until one side closes them."""
        self.shutdown()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        """Copy in both directions until both sides have closed."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.server.port)) as inner,
        ):
            back = threading.Thread(target=_copy, args=(inner, self.request), daemon=True)
            back.start()
            _copy(self.request, inner)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
        # Only this direction has ended: the response to a request may still come in the other one.
        target.shutdown(socket.SHUT_WR)
