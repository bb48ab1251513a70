"""Containers in Docker: the image that AWS would run, with its own network and host names.

Every container is one of the network that this runtime creates, and is removed when it ends; one
that serves is reached on a port of the loopback. A small process waits for the end of this one,
however that comes, and removes what is left.
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
_PORT = 8080  # of the container contract
_ENDPOINT = "AWS_ENDPOINT_URL"
# Waits for the end of its input, then removes this runtime's containers and its network. One that
# has just ended is still being removed by Docker, which refuses to remove it meanwhile, and the
# network with it: so for a minute it looks again.
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
    """Every container is one of Docker's."""

    def __init__(self, threads: int | None = None) -> None:
        """`threads` of numeric libraries in a container; by default half of the cores.

        Raises LocalCloudError when there is no Docker engine.
        """
        self._threads = threads or max(1, (os.cpu_count() or 2) // 2)
        self._name = f"longspan-{secrets.token_hex(4)}"
        self.label = f"{_LABEL}={self._name}"  # of its containers and its network
        _docker("network", "create", "--label", self.label, self._name)
        words = "{{(index .IPAM.Config 0).Gateway}}"
        self._gateway = _docker("network", "inspect", "--format", words, self._name)
        self._reaper = _start_reaper(self.label, self._name)
        self._relays: dict[int, Relay] = {}
        self._lock = threading.Lock()

    def host_names(self, count: int) -> tuple[str, ...]:
        """AWS's names; those of several machines with an end that no other job's have."""
        if count == 1:
            return ("algo-1",)
        end = secrets.token_hex(3)
        return tuple(f"algo-{number}-{end}" for number in range(1, count + 1))

    def start(self, container: Container) -> "_DockerContainer":
        """Start it. Raises LocalCloudError, also when there is no such image."""
        _require_image(container.image)
        port = free_port() if _serves(container) else None
        id = _docker("create", *self._options(container, port), container.image, *_rest(container))
        return _DockerContainer(id, container, port)

    def close(self) -> None:
        """Kill what still runs and wait until it is gone, and the network too."""
        assert self._reaper.stdin is not None
        self._reaper.stdin.close()
        self._reaper.wait()
        with self._lock:
            for relay in self._relays.values():
                relay.close()
            self._relays.clear()

    def _options(self, container: Container, port: int | None) -> Iterator[str]:
        yield from ("--rm", "--label", self.label, "--network", self._name)
        if container.host:
            yield from ("--hostname", container.host, "--network-alias", container.host)
        if port is not None:
            yield from ("--publish", f"127.0.0.1:{port}:{_PORT}")
        yield from ("--mount", f"type=bind,source={container.base},target=/opt/ml")
        yield from ("--env", f"OMP_NUM_THREADS={self._threads}")
        for name, value in container.environment.items():
            yield from ("--env", f"{name}={self._reach(value) if name == _ENDPOINT else value}")
        if _own_entrypoint(container):
            yield from ("--entrypoint", container.command[0])

    def _reach(self, url: str) -> str:
        """The local cloud's address as containers see it."""
        port = urlsplit(url).port
        if port is None:
            return url
        with self._lock:
            if port not in self._relays:
                self._relays[port] = Relay(self._gateway, port)
        return f"http://{self._gateway}:{port}"


class _DockerContainer:
    def __init__(self, id: str, container: Container, port: int | None) -> None:
        self.url = f"http://127.0.0.1:{port}" if port is not None else ""
        self._id = id
        container.log.parent.mkdir(parents=True, exist_ok=True)
        with container.log.open("ab") as log:
            self._client = subprocess.Popen(
                ["docker", "start", "--attach", id],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches the cloud, which stops jobs in its own order.
                start_new_session=True,
            )

    def wait(self, timeout: float | None = None) -> int | None:
        try:
            return self._client.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self) -> None:
        # One that has been created and not yet started takes no signal.
        deadline = time.monotonic() + _SECONDS_TO_START
        while self._client.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(LocalCloudError):
                _docker("kill", "--signal", "TERM", self._id)
                return
            time.sleep(0.1)

    def kill(self) -> None:
        # Also one that was created and could not be started.
        with contextlib.suppress(LocalCloudError):  # it has ended, and Docker has removed it
            _docker("rm", "--force", "--volumes", self._id)


def _serves(container: Container) -> bool:
    return container.command == ("serve",)


def _own_entrypoint(container: Container) -> bool:
    """Whether the job names its program, instead of asking the image for its `train`."""
    return container.command[0] not in ("train", "serve")


def _rest(container: Container) -> tuple[str, ...]:
    return container.command[1:] if _own_entrypoint(container) else container.command


def _require_image(image: str) -> None:
    try:
        _docker("image", "inspect", "--format", "{{.Id}}", image)
    except LocalCloudError:
        raise LocalCloudError(
            f"the image {image} is not on this machine: `longspan image build` makes "
            "longspan:local, `docker pull` brings others"
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
    """What it printed. Raises LocalCloudError with what it said."""
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise LocalCloudError(
            "expected docker on the PATH, came none: install Docker, or use --runtime process"
        ) from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["failed without a word"]
        raise LocalCloudError(f"docker {arguments[0]}: {lines[-1]}")
    return done.stdout.strip()
