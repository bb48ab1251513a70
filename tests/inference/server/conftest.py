"""The real server in a process, and a client that holds its connection."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ServerProcess:
    """`python -m longspan.inference serve` with its log; `base` stands for /opt/ml."""

    def __init__(
        self,
        base: Path,
        command: Sequence[str] = ("longspan.inference", "serve"),
        prefix: Sequence[str] = (),
        **environment: str,
    ) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "LONGSPAN_BASE": str(base),
                "SAGEMAKER_BIND_TO_PORT": "0",
                "LONGSPAN_HOST": "127.0.0.1",
                "OMP_NUM_THREADS": "1",
                "LONGSPAN_WORKERS": "1",  # by default one on each core, and each loads torch
                **environment,
            },
        )
        self.events: list[dict[str, Any]] = []
        self.errors = ""
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=read) for read in (self._read_log, self._read_errors)
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        """It ends with the test, whatever became of that."""
        self.stop()

    @property
    def port(self) -> int:
        return int(self.event("listening")["url"].rsplit(":", 1)[1])

    def event(
        self, name: str, number: int = 0, seconds: float = 180, **fields: object
    ) -> dict[str, Any]:
        """The event of that name and with those fields, waiting for it, counted from 0."""

        def found() -> list[dict[str, Any]]:
            wanted = {"event": name, **fields}.items()
            return [event for event in self.events if wanted <= event.items()][number:]

        with self._changed:
            assert self._changed.wait_for(found, seconds), (name, self.events, self.errors)
            return found()[0]

    def wait_ready(self) -> "ServerProcess":
        self.event("worker ready")
        return self

    def ask(
        self,
        body: object,
        content_type: str | None = "application/json",
        accept: str | None = None,
        **headers: str,
    ) -> Reply:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": content_type, "Accept": accept, **headers}
        sent = {name: value for name, value in given.items() if value is not None}
        return self.request("POST", "/invocations", content, sent)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=180)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            lowered = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, lowered, answer.read())
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        lines = self.request("GET", "/metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def stop(self, how: int = signal.SIGTERM, seconds: float = 180) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            for reader in self._readers:
                reader.join()
            for stream in (self.process.stdout, self.process.stderr):
                assert stream is not None
                stream.close()

    def _read_log(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line


@pytest.fixture(scope="session")
def base(model_directory: Path) -> Path:
    return model_directory.parent


@pytest.fixture(scope="session")
def endless_base(endless_model_directory: Path) -> Path:
    """A server of this takes its time for whatever has a high max_length."""
    return endless_model_directory.parent


@pytest.fixture(scope="session")
def server(base: Path) -> Iterator[ServerProcess]:
    """One server for all tests that leave it as it is."""
    with ServerProcess(base, LONGSPAN_MAX_SOURCE_TOKENS="64", LONGSPAN_PAGE="true") as running:
        yield running.wait_ready()
        assert running.stop() == 0
        assert running.errors == ""
        assert not [event for event in running.events if event["level"] == "error"]


@pytest.fixture
def launch(base: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start a server with settings of its own; it ends with the test."""
    started: list[ServerProcess] = []

    def start(folder: Path = base, prefix: Sequence[str] = (), **environment: str) -> ServerProcess:
        started.append(ServerProcess(folder, prefix=prefix, **environment))
        return started[-1]

    yield start
    with contextlib.ExitStack() as stack:  # each is stopped, even when another one cannot be
        for one in started:
            stack.callback(one.stop)


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until something is true, for some seconds at most."""

    def wait(condition: Callable[[], object], seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not become true"
            time.sleep(0.02)

    return wait
