"""Containers as local processes of this Python installation, without Docker or an image.

`/opt/ml` is the container's folder, in a mount namespace. Where the system allows none, `/opt/ml`
is replaced by the folder in arguments and variables.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import cached_property

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.runtimes import guard
from longspan.infra.local.runtimes.guard import ROOT
from longspan.infra.local.runtimes.programs import find_program
from longspan.infra.local.runtimes.runtime import Container, free_port

__all__ = ["ProcessRuntime"]

_GUARD = (sys.executable, "-I", "-S", guard.__file__)
# Variables of this process that any program needs.
# Without the user's AWS variables: a container has the credentials of its role alone.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")
# Limits of the processor that torch and oneDNN respect: they hold for the whole machine.
_PROCESSOR = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")


class ProcessRuntime:
    """Runtime in which every container is a process below a guard."""

    def __init__(self, threads: int | None = None, *, mounts: bool = True) -> None:
        """`threads` is the number of threads of numeric libraries per process, by default half of
        the cores. Without `mounts`, no mount namespaces are used.
        """
        self._mounts = mounts
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
        self._threads = threads or max(1, cores // 2)
        self._running: set[_Process] = set()
        self._lock = threading.Lock()

    @property
    def gateway(self) -> str:
        """The loopback, which processes share."""
        return "127.0.0.1"

    @cached_property
    def no_root(self) -> str:
        """Why a process cannot have its own `/opt/ml`; empty where it can."""
        if not self._mounts:
            return "mount namespaces are switched off"
        with tempfile.TemporaryDirectory() as folder:
            tried = subprocess.Popen(
                [*_GUARD, "--root", folder, sys.executable, "-I", "-S", "-c", ""],
                stdin=subprocess.PIPE,  # open until the end: the guard kills when it is closed
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert tried.stderr is not None
            said, status = tried.stderr.read().strip(), tried.wait()
            tried.communicate()
        return said or f"exit status {status}" if status else ""

    def host_names(self, count: int) -> tuple[str, ...]:
        """Return addresses of the loopback: processes have no name service."""
        return tuple(f"127.0.0.{number}" for number in range(1, count + 1))

    def start(self, container: Container) -> "_Process":
        """Start a container. Raises LocalCloudError for a command that cannot work here."""
        program = find_program(container, self.no_root)
        port = free_port()  # each `serve` has its own port, since processes share the loopback
        environment = {
            **{name: os.environ[name] for name in (*_PASSED_ON, *_PROCESSOR) if name in os.environ},
            "PATH": ":".join([*map(str, program.folders), os.environ.get("PATH", os.defpath)]),
            "OMP_NUM_THREADS": str(self._threads),
            "PYTHONUNBUFFERED": "1",  # a log is a file: without it lines would arrive in blocks
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "LONGSPAN_HOST": "127.0.0.1",  # processes share the machine's network
            # `/opt/ml` last, so that the request cannot change it.
            **self._placed({**container.environment, "LONGSPAN_BASE": ROOT}, container),
        }
        command = program.command
        if self.no_root:
            command = [_replace(argument, container) for argument in command]
        else:
            command = ["--root", str(container.base), *command]
        process = _Process(command, environment, container, port)
        with self._lock:
            # Forget the ended ones; a cloud may run for days.
            self._running = {other for other in self._running if other.wait(0) is None}
            self._running.add(process)
        return process

    def _placed(self, variables: Mapping[str, str], container: Container) -> Mapping[str, str]:
        if not self.no_root:
            return variables
        return {name: _replace(value, container) for name, value in variables.items()}

    def close(self) -> None:
        """Kill all processes that still run, and wait for their end."""
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
                    [*_GUARD, *command],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=container.base,
                    env=dict(environment),
                    # A new session: Ctrl-C must reach the cloud alone, which then stops jobs.
                    start_new_session=True,
                )
        except OSError as error:
            raise LocalCloudError(f"{container.name}: cannot start: {error}") from None

    def wait(self, timeout: float | None = None) -> int | None:
        try:
            status = self._guard.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self.kill()  # the guard has ended: close the pipe
        return status

    def terminate(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the guard has ended
            assert self._guard.stdin is not None
            self._guard.stdin.write(b"T")
            self._guard.stdin.flush()

    def kill(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            assert self._guard.stdin is not None
            self._guard.stdin.close()


def _replace(text: str, container: Container) -> str:
    """Replace `/opt/ml` and paths below it, but not `/opt/mlx`."""
    if text == ROOT:
        return str(container.base)
    return text.replace(f"{ROOT}/", f"{container.base}/")
