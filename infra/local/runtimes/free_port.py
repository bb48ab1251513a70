"""A port of the loopback that nobody uses at the moment."""

import socket

__all__ = ["free_port"]


def free_port() -> int:
    """Its number; another program may take it before the caller does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
