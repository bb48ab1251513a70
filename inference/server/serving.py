"""Serving: uvicorn with this server's signals, log and shutdown.

`main` is the container's `serve`. It alone in `inference` reads the environment; see
`docs/serving.md`.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn

from longspan.inference.server.application import Server, build_server
from longspan.inference.server.connections import HttpConnection, allow_many, listen_patiently
from longspan.inference.server.settings import ServerSettings
from longspan.inference.workers.server_log import JsonFormatter, ServerLog
from longspan.training.container.paths import ContainerPaths
from longspan.training.errors import LongspanError, OptionError
from longspan.training.model.archive import open_model
from longspan.training.stop import terminated_as_interrupted

__all__ = ["listen", "main", "serve"]

_BACKLOG = 2048
# Seconds at the end of the time to drain, in which waiting clients get a refusal.
_LAST_WORDS = 1.0


def serve(model: Path, settings: ServerSettings, server_log: ServerLog | None = None) -> None:
    """Serve a model directory until SIGTERM or SIGINT, and finish the requests that are there.

    Raises ModelDirectoryError for a directory without a whole model, OptionError for an address
    that cannot be used, LongspanError when the workers cannot use the model.
    """
    server_log = server_log or ServerLog()
    allow_many()
    failures: list[LongspanError] = []
    listening = listen(settings)
    running: list[_Uvicorn] = []

    def fail(error: LongspanError) -> None:
        failures.append(error)
        running[0].should_exit = True

    with listening:
        server = build_server(model, settings, server_log, fail)
        running.append(_Uvicorn(server, settings, server_log))
        # Before the line that says so, because a reader of the log may send a signal at once.
        with running[0].capture_signals():
            host, port = listening.getsockname()[:2]
            server_log.write("listening", url=f"http://{host}:{port}", model=str(model))
            running[0].run(sockets=[listening])
    if failures:
        raise failures[0]
    server_log.write("stopped")


class _Uvicorn(uvicorn.Server):
    """A uvicorn that ends by itself after a signal, and does not raise the signal again."""

    def __init__(self, server: Server, settings: ServerSettings, server_log: ServerLog) -> None:
        _log_as_json()
        config = uvicorn.Config(
            server.application,
            http=HttpConnection,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,  # longer than SageMaker keeps its connections open
            timeout_graceful_shutdown=max(1, round(settings.drain)),
        )
        super().__init__(config)
        self._deadlines = server.deadlines
        self._drain = settings.drain
        self._server_log = server_log
        self._signal: str | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Drain at the first SIGTERM or SIGINT; end at once at a second SIGINT."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take no more requests and finish those that are there, within the time to drain."""
        super().handle_exit(sig, frame)
        # Not logged here: the handler may run in the middle of a line of the log.
        self._signal = signal.Signals(sig).name

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down as uvicorn does; refuse waiting requests shortly before the time is over."""
        self._server_log.write("stopping", signal=self._signal)
        seconds = max(0.0, self._drain - _LAST_WORDS)
        late = asyncio.get_running_loop().call_later(seconds, self._deadlines.end)
        try:
            await super().shutdown(sockets)
        finally:
            late.cancel()


def listen(settings: ServerSettings) -> socket.socket:
    """Return a socket that listens at the address. Raises OptionError where that is impossible."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        server = socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG
        )
    except OSError as error:
        raise OptionError(
            f"{settings.host} port {settings.port}: expected an address to listen at, got: "
            f"{error.strerror}; choose another port"
        ) from None
    listen_patiently(server)
    return server


def _log_as_json() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("uvicorn")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.ERROR)  # its warnings about clients are in the request log


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM; return the exit status. The model's folder is only read."""
    try:
        settings = ServerSettings.from_environment(environment)
        paths = ContainerPaths.from_environment(environment)
        # Until the server handles signals itself, they interrupt, and an unpacked archive is
        # removed.
        with terminated_as_interrupted(), open_model(paths.model) as model:
            serve(model, settings)
    except KeyboardInterrupt:
        return 0
    except LongspanError as error:
        print(f"longspan: error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        return 1
    return 0
