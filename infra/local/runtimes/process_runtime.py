"""Containers as local processes of this Python: no Docker, no image.

The image's own commands `train` and `serve` are this project's modules; `/opt/ml` in arguments
and variables is replaced by the folder that stands for it.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.runtimes.runtime import Container, free_port

__all__ = ["ProcessRuntime"]

_MODULES = {
    "train": ("-m", "longspan.pipelines.jobs", "train"),
    "serve": ("-m", "longspan.inference", "serve"),
}
_INTERPRETERS = frozenset({"python", "python3"})
_ROOT = "/opt/ml"
# Of our own environment, what any program needs to run here.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")


class ProcessRuntime:
    """Every container is a guarded process."""

    def __init__(self, threads: int | None = None) -> None:
        """`threads` of numeric libraries in a process; by default half of the cores."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
        self._threads = threads or max(1, cores // 2)
        self._running: set[_Process] = set()
        self._lock = threading.Lock()

    def host_names(self, count: int) -> tuple[str, ...]:
        """Addresses of this machine alone: there is no name service for processes."""
        return tuple(f"127.0.0.{number}" for number in range(1, count + 1))

    def start(self, container: Container) -> "_Process":
        """Start it. Raises LocalCloudError when there is no such program."""
        port = free_port()
        environment = {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "OMP_NUM_THREADS": str(self._threads),
            "PYTHONUNBUFFERED": "1",
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "LONGSPAN_HOST": "127.0.0.1",  # a container has a network of its own, a process not
            **{name: _replace(v, container) for name, v in container.environment.items()},
            "LONGSPAN_BASE": str(container.base),
        }
        process = _Process(_command(container), environment, container, port)
        with self._lock:
            self._running = {other for other in self._running if other.wait(0) is None}
            self._running.add(process)
        return process

    def close(self) -> None:
        """Kill what still runs and wait until it is gone."""
        with self._lock:
            for process in self._running:
                process.kill()
            for process in self._running:
                process.wait()
            self._running.clear()


class _Process:
    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        container: Container,
        port: int,
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        container.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with container.log.open("ab") as log:
                self._guard = subprocess.Popen(
                    [sys.executable, "-m", "longspan.infra.local.runtimes.guard", *command],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=container.base,
                    env=dict(environment),
                    # Ctrl-C in the terminal reaches the cloud, which stops jobs in its own order.
                    start_new_session=True,
                )
        except OSError as error:
            raise LocalCloudError(f"{container.name}: cannot start {command[0]}: {error}") from None

    def wait(self, timeout: float | None = None) -> int | None:
        try:
            status = self._guard.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self.kill()  # it has ended; this closes the pipe to it
        return status

    def terminate(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # it has ended
            assert self._guard.stdin is not None
            self._guard.stdin.write(b"T")
            self._guard.stdin.flush()

    def kill(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            assert self._guard.stdin is not None
            self._guard.stdin.close()


def _command(container: Container) -> list[str]:
    if not container.command:
        raise LocalCloudError(
            f"{container.name}: ContainerEntrypoint is missing; what the image {container.image} "
            "would start by itself is known to Docker alone"
        )
    first, *rest = container.command
    if first in _MODULES:
        return [sys.executable, *_MODULES[first], *rest]
    program = sys.executable if first in _INTERPRETERS else _replace(first, container)
    return [program, *(_replace(argument, container) for argument in rest)]


def _replace(text: str, container: Container) -> str:
    """`/opt/ml` and what is below it, not `/opt/mlx`."""
    if text == _ROOT:
        return str(container.base)
    return text.replace(f"{_ROOT}/", f"{container.base}/")
