"""Containers in Docker: the image that AWS would run, in a network with host names.

The runtime creates a network for its containers, and Docker removes a container when it ends. A
`serve` container is published on a port of the loopback. A reaper process waits for the end of
this process, also by SIGKILL, and removes the remaining containers and the network.
"""

import contextlib
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.runtimes.relay import Relay
from longspan.infra.local.runtimes.runtime import Container, free_port

__all__ = ["DockerRuntime"]

_LABEL = "longspan.cloud"
_PORT = 8080  # on which `serve` listens by SageMaker's container contract
_ENDPOINT = "AWS_ENDPOINT_URL"
# The reaper waits for the end of its input, then removes the containers and the network. Docker
# refuses to remove a container that it is removing itself, so the reaper tries for a minute.
_REAPER = """
cat >/dev/null
for _ in $(seq 600); do
    left=$(docker ps --all --quiet --filter "label=$1")
    [ -n "$left" ] || break
    docker rm --force --volumes $left || sleep 0.1
done
docker network rm "$2"
"""
_SECONDS_TO_START = 10.0


class DockerRuntime:
    """Runtime in which every container is a Docker container."""

    def __init__(self, threads: int | None = None) -> None:
        """`threads` is the number of threads of numeric libraries per container, by default half
        of the cores.

        Raises LocalCloudError without a Docker engine.
        """
        self._threads = threads or max(1, (os.cpu_count() or 2) // 2)
        self._name = f"longspan-{secrets.token_hex(4)}"
        self.label = f"{_LABEL}={self._name}"  # of the containers and the network
        _docker("network", "create", "--label", self.label, self._name)
        words = "{{(index .IPAM.Config 0).Gateway}}"
        # This machine's address in the network: the only one by which containers reach its relays.
        self.gateway = _docker("network", "inspect", "--format", words, self._name)
        self._reaper = _start_reaper(self.label, self._name)
        self._relays: dict[int, Relay] = {}
        self._lock = threading.Lock()

    @property
    def no_root(self) -> str:
        """Empty: the folder is bound to `/opt/ml`."""
        return ""

    def host_names(self, count: int) -> tuple[str, ...]:
        """Return AWS's host names, with a suffix of the job for several containers."""
        if count == 1:
            return ("algo-1",)
        end = secrets.token_hex(3)
        return tuple(f"algo-{number}-{end}" for number in range(1, count + 1))

    def start(self, container: Container) -> "_DockerContainer":
        """Start a container. Raises LocalCloudError, also for an image that does not exist."""
        _require_image(container.image)
        port = free_port() if _serves(container) else None
        # Created here and started by `_DockerContainer`: the id must be known before the container
        # runs, for `kill`.
        id = _docker("create", *self._options(container, port), container.image, *_rest(container))
        return _DockerContainer(id, container, port)

    def close(self) -> None:
        """Let the reaper remove all containers and the network, and wait for it."""
        assert self._reaper.stdin is not None
        self._reaper.stdin.close()
        self._reaper.wait()
        with self._lock:
            # After the containers, which reach the local cloud through them until they end.
            for relay in self._relays.values():
                relay.close()
            self._relays.clear()

    def _options(self, container: Container, port: int | None) -> Iterator[str]:
        yield from ("--rm", "--label", self.label, "--network", self._name)
        if container.host:
            yield from ("--hostname", container.host, "--network-alias", container.host)
        if port is not None:
            yield from ("--publish", f"127.0.0.1:{port}:{_PORT}")
        # Bound, not copied: the cloud reads results and failure files there after the container has
        # gone.
        yield from ("--mount", f"type=bind,source={container.base},target=/opt/ml")
        yield from ("--env", f"OMP_NUM_THREADS={self._threads}")
        for name, value in container.environment.items():
            yield from ("--env", f"{name}={self._reach(value) if name == _ENDPOINT else value}")
        if _own_entrypoint(container):
            yield from ("--entrypoint", container.command[0])

    def _reach(self, url: str) -> str:
        """Return the URL at which containers reach the local cloud, by a relay."""
        port = urlsplit(url).port
        if port is None:
            return url
        with self._lock:
            if port not in self._relays:
                self._relays[port] = Relay(self.gateway, port)
        return f"http://{self.gateway}:{port}"


class _DockerContainer:
    def __init__(self, id: str, container: Container, port: int | None) -> None:
        self.url = f"http://127.0.0.1:{port}" if port is not None else ""
        self._id = id
        container.log.parent.mkdir(parents=True, exist_ok=True)
        # Appended: an endpoint's container that is started again continues its log.
        with container.log.open("ab") as log:
            self._client = subprocess.Popen(
                ["docker", "start", "--attach", id],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A new session: Ctrl-C must reach the cloud alone, which then stops jobs.
                start_new_session=True,
            )

    def wait(self, timeout: float | None = None) -> int | None:
        try:
            return self._client.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self) -> None:
        # A container that was created, but has not started yet, takes no signal.
        deadline = time.monotonic() + _SECONDS_TO_START
        while self._client.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(LocalCloudError):
                _docker("kill", "--signal", "TERM", self._id)
                return
            time.sleep(0.1)

    def kill(self) -> None:
        # Remove it by force, since it may have been created and failed to start.
        with contextlib.suppress(LocalCloudError):  # Docker has removed it already
            _docker("rm", "--force", "--volumes", self._id)


def _serves(container: Container) -> bool:
    return container.command == ("serve",)


def _own_entrypoint(container: Container) -> bool:
    """Return whether the job names its own entrypoint, not a command of the image."""
    return container.command[0] not in ("train", "serve")


def _rest(container: Container) -> tuple[str, ...]:
    return container.command[1:] if _own_entrypoint(container) else container.command


def _require_image(image: str) -> None:
    try:
        _docker("image", "inspect", "--format", "{{.Id}}", image)
    except LocalCloudError:
        raise LocalCloudError(
            f"expected the image {image} on this machine, got none: build longspan:local by "
            "`longspan image build`, or pull another image by `docker pull`"
        ) from None


def _start_reaper(label: str, network: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["sh", "-c", _REAPER, "reaper", label, network],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _docker(*arguments: str) -> str:
    """Run docker; return its output. Raises LocalCloudError with its last line of errors."""
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise LocalCloudError(
            "expected docker on the PATH, got none: install Docker, or use --runtime process"
        ) from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["failed without a message"]
        raise LocalCloudError(f"docker {arguments[0]}: {lines[-1]}")
    return done.stdout.strip()
