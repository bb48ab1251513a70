"""What runs a job's or an endpoint's container: local processes, or Docker.

Both get the same: a command, an environment, a folder that stands for `/opt/ml`, and a file for
what is written to standard output and standard error.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = ["Container", "Running", "Runtime", "free_port"]


@dataclass(frozen=True)
class Container:
    """One container to run.

    `command` is the entrypoint with its arguments; `("train",)` and `("serve",)` are the image's
    own. `base` becomes `/opt/ml`. `log` is appended to.
    """

    name: str
    image: str
    command: tuple[str, ...]
    base: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    host: str = ""  # one of the runtime's `host_names`, for a job of several containers


class Running(Protocol):
    """A container that was started."""

    @property
    def url(self) -> str:
        """Where a `serve` container answers, as `http://127.0.0.1:49152`; of no use of another."""
        ...

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit status, 128 + N for signal N; None while it runs after `timeout` seconds."""
        ...

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM)."""
        ...

    def kill(self) -> None:
        """Stop it and everything that it started, at once (SIGKILL)."""
        ...


class Runtime(Protocol):
    """Where containers run."""

    def host_names(self, count: int) -> tuple[str, ...]:
        """Names by which the `count` containers of one job reach each other."""
        ...

    def start(self, container: Container) -> Running:
        """Start it. Raises LocalCloudError when it cannot be, with the reason."""
        ...

    def close(self) -> None:
        """Kill what still runs."""
        ...


def free_port() -> int:
    """Its number; another program may take it before the caller does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
