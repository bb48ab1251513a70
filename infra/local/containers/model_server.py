"""Containers that serve a model: started, checked, invoked, and restarted after they died.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.containers.failures import ServingClosed, ServingFailure
from longspan.infra.local.runtimes.runtime import Container, Running, Runtime

__all__ = ["InvocationTimeout", "ModelServer", "NotServing", "Reply"]

# Limits of SageMaker's container contract, in seconds, from the page above.
_PING_SECONDS = 2.0
_INVOCATION_SECONDS = 60.0
_SECONDS_TO_END = 30.0  # after SIGTERM
_TICK = 0.1
_WATCH = 0.5  # seconds between two looks at the container and its log
_LONGEST_PAUSE = 30.0  # seconds before a restart


class NotServing(Exception):
    """The container does not answer at present."""


class InvocationTimeout(Exception):
    """The container did not answer within the time limit of an invocation."""


@dataclass(frozen=True)
class Reply:
    """HTTP response of the container."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ModelServer:
    """One container that serves; `copy_log` is called again and again, for its log."""

    def __init__(
        self,
        runtime: Runtime,
        container: Container,
        copy_log: Callable[[], object],
        invocation_seconds: float = _INVOCATION_SECONDS,
    ) -> None:
        self._runtime = runtime
        self._container = container
        self._copy_log = copy_log
        self._invocation_seconds = invocation_seconds
        self._running: Running | None = None
        self._healthy = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._watcher = threading.Thread(
            target=self._watch, name=f"serving {container.name}", daemon=True
        )

    def start(self, seconds: float, closing: Callable[[], bool]) -> None:
        """Start the container and wait until it is healthy, at most `seconds`.

        Raises ServingFailure, and ServingClosed when `closing` becomes true; both leave no
        container.
        """
        try:
            running = self._launch()
            self._wait_healthy(running, seconds, closing)
        except BaseException:
            self.kill()
            raise
        # Not earlier: until now this thread starts the container and reads its log.
        self._watcher.start()

    def ask(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a request to `/invocations`. Raises NotServing, InvocationTimeout."""
        running = self._running
        if running is None or not self._healthy.is_set():
            raise NotServing
        try:
            return _request(
                running.url, "POST", "/invocations", self._invocation_seconds, body, headers
            )
        # Before OSError, its base class.
        except TimeoutError:
            raise InvocationTimeout from None
        except (OSError, http.client.HTTPException):
            raise NotServing from None

    def stop(self) -> None:
        """Ask the container to end, kill it after a while, and wait for its end."""
        self._close()
        running = self._running
        if running is not None:
            running.terminate()
            running.wait(_SECONDS_TO_END)
        self.kill()

    def kill(self) -> None:
        """Kill the container, and wait for its end."""
        self._close()
        running = self._running
        if running is not None:
            running.kill()
            running.wait()
        self._copy_log()

    def _close(self) -> None:
        with self._lock:
            # The lock orders this with `_launch`: either it sees the event and starts nothing, or
            # its container is in `_running`, where the caller finds it.
            self._closing.set()
        # New requests are refused from here on; those under way get their responses.
        self._healthy.clear()
        # A thread that was never started cannot be joined.
        if self._watcher.is_alive():
            self._watcher.join()

    def _launch(self) -> Running:
        """Start the container. Raises ServingFailure, ServingClosed."""
        with self._lock:
            if self._closing.is_set():
                raise ServingClosed
            try:
                self._running = self._runtime.start(self._container)
            except LocalCloudError as error:
                raise ServingFailure(str(error)) from None
            return self._running

    def _wait_healthy(self, running: Running, seconds: float, closing: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while not closing():
            self._copy_log()
            status = running.wait(_TICK)
            if status is not None:
                raise ServingFailure(f"the container ended with exit status {status}")
            if _healthy(running.url):
                self._copy_log()  # the last lines of its start
                self._healthy.set()
                return
            if time.monotonic() > deadline:
                raise ServingFailure(f"no answer 200 to /ping within {seconds:.0f} seconds")
        raise ServingClosed

    def _watch(self) -> None:
        """Restart the container when it died, until the server is closed (in a thread)."""
        pause = 1.0  # doubles after each failed restart
        while not self._closing.is_set():
            assert self._running is not None
            ended = self._running.wait(_WATCH) is not None
            self._copy_log()
            if not ended:
                continue
            self._healthy.clear()
            # Ends early when the server is closed.
            self._closing.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            pause = 1.0 if self._restart() else pause

    def _restart(self) -> bool:
        try:
            # Without a time limit: the wait ends when the container dies or the server is closed.
            self._wait_healthy(self._launch(), float("inf"), self._closing.is_set)
        except (ServingFailure, ServingClosed):
            return False
        return True


def _healthy(url: str) -> bool:
    try:
        return _request(url, "GET", "/ping", _PING_SECONDS).status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def _request(
    url: str,
    method: str,
    path: str,
    seconds: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=seconds)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()
