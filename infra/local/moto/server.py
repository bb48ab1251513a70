"""The server, moto's, with SageMaker's requests answered by the local control plane.

Every touch of moto's internals is in this module, in `moto_access`, `moto_logs` and `moto_state`;
moto is pinned, and `tests/infra/local/moto/test_server.py` fails when an upgrade moves what is
touched.
"""

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.api import Call, Document
from longspan.infra.local.control.invocations import Answer, Invocation
from longspan.infra.local.moto.invocation_app import InvocationApp
from longspan.infra.local.moto.sagemaker_app import ControlApp
from longspan.infra.local.moto.signatures import scope_of

__all__ = ["MotoServer"]


class MotoServer:
    """moto's server on 127.0.0.1; one in a process, since moto's state is the process's."""

    def __init__(self, port: int = 0) -> None:
        """Take the port, 0 for any. Raises LocalCloudError when it is taken."""
        # One line a request belongs to a web server, not to this.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        with _listen(port) as listening:
            self._server = _make_server(listening, self._answer)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._ours: list[ControlApp | InvocationApp] = []
        self._changed: Callable[[str, str], None] = lambda service, region: None
        self._reader = ""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="moto", daemon=True
        )

    def start(self) -> str:
        """Serve in a thread; the URL."""
        self._thread.start()
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def stop(self) -> None:
        """Answer nothing more."""
        self._server.shutdown()
        self._thread.join()

    def watch(self, changed: Callable[[str, str], None], reader: str) -> None:
        """Call `changed` with service and region after each request that may have changed it.

        Not for requests whose user agent holds `reader`, which only look.
        """
        self._changed, self._reader = changed, reader

    def answer_sagemaker(self, handle: Callable[[Call], Document]) -> None:
        """Let `handle` answer SageMaker's operations instead of moto."""
        self._ours.append(ControlApp(handle))

    def answer_invocations(self, invoke: Callable[[Invocation], Answer]) -> None:
        """Let `invoke` answer requests to endpoints instead of moto."""
        self._ours.append(InvocationApp(invoke))

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        """As WSGI has it."""
        for app in self._ours:
            if app.handles(environ):
                return app(environ, start_response)
        answer = self._moto(environ, start_response)
        agent = environ.get("HTTP_USER_AGENT", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") and (
            not self._reader or self._reader not in agent
        ):
            scope = scope_of(environ)
            self._changed(scope.service or "s3", scope.region)  # signed links are S3's
        return answer


def _listen(port: int) -> socket.socket:
    """werkzeug itself would print an error and end the process."""
    if not 0 <= port <= 65535:
        raise LocalCloudError(f"expected a port from 1 to 65535, or 0 for any, came {port}")
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        raise LocalCloudError(
            f"expected a port that is free, came {port}: {error}; name another one, or 0 for any"
        ) from error


def _make_server(listening: socket.socket, answer: Any) -> BaseWSGIServer:
    return make_server(
        "127.0.0.1",
        0,
        answer,
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listening.fileno(),
    )
