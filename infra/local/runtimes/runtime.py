"""Interface of runtimes, which run the containers of jobs and endpoints.

A runtime uses local processes or Docker. Both get a command, an environment, a folder in place
of `/opt/ml`, and a file for standard output and standard error.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = ["Container", "Running", "Runtime", "free_port"]


@dataclass(frozen=True)
class Container:
    """Description of one container.

    `command` is the entrypoint with its arguments; `("train",)` and `("serve",)` are commands of
    the image. `base` becomes `/opt/ml`. Output is appended to `log`.
    """

    name: str
    image: str
    command: tuple[str, ...]
    base: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    host: str = ""  # one of the runtime's `host_names`, for a job with several containers


class Running(Protocol):
    """Handle of a container that was started."""

    @property
    def url(self) -> str:
        """URL at which a `serve` container answers, such as `http://127.0.0.1:49152`."""
        ...

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit status, 128 + N for signal N; None if it still runs after `timeout` s."""
        ...

    def terminate(self) -> None:
        """Ask the container to stop (SIGTERM)."""
        ...

    def kill(self) -> None:
        """Kill the container and all its processes (SIGKILL)."""
        ...


class Runtime(Protocol):
    """A way to run containers."""

    @property
    def gateway(self) -> str:
        """Address of this machine by which containers reach it."""
        ...

    @property
    def no_root(self) -> str:
        """Why a container's `/opt/ml` is not its folder, but this machine's own; empty if it is."""
        ...

    def host_names(self, count: int) -> tuple[str, ...]:
        """Return names by which the `count` containers of one job reach each other."""
        ...

    def start(self, container: Container) -> Running:
        """Start a container. Raises LocalCloudError, with the reason, when it cannot start."""
        ...

    def close(self) -> None:
        """Kill all containers that still run."""
        ...


def free_port() -> int:
    """Return a free port of the loopback; another program may take it before the caller does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
