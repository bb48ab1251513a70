"""A port of this machine's loopback, opened to containers on the address of their network.

The local cloud listens on 127.0.0.1 alone, which is the container itself for a container.
"""

import contextlib
import socket
import socketserver
import threading

__all__ = ["Relay"]

_PIECE = 65_536


class Relay(socketserver.ThreadingTCPServer):
    """Hands every connection to `address:port` on to `127.0.0.1:port`, until it is closed."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: str, port: int) -> None:
        """Start to listen. Raises OSError when the port is taken there."""
        super().__init__((address, port), _Handler)
        self.port = port
        threading.Thread(target=self.serve_forever, name=f"relay {address}", daemon=True).start()

    def close(self) -> None:
        """Listen no more; what is connected stays so until one side ends it."""
        self.shutdown()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        """Copy both ways until both sides have said all."""
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
        target.shutdown(socket.SHUT_WR)
