"""moto's server, with SageMaker's requests answered by the local control plane."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.moto_server import werkzeug_app
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.api import ApiCall, Document
from longspan.infra.local.control.clients import Credentials
from longspan.infra.local.control.invocations import Invocation, InvocationResponse
from longspan.infra.local.gate.gate import RequestGate
from longspan.infra.local.gate.keys import KeyRing
from longspan.infra.local.gate.refusals import FULL, RequestRefused, refuse
from longspan.infra.local.moto.access import scope_of
from longspan.infra.local.moto.error_answers import ErrorAnswers
from longspan.infra.local.moto.internals import issued_credentials
from longspan.infra.local.moto.invocation_app import InvocationApp
from longspan.infra.local.moto.sagemaker_app import ControlApp
from longspan.infra.local.moto.user_sessions import UserSessions

__all__ = ["SERVER", "MotoServer"]

SERVER = "longspan-local"  # header by which programs recognise a local cloud
_SECONDS_TO_CONNECT = 5.0


class _Handler(MotoRequestHandler):
    server_version = SERVER


class MotoServer:
    """moto's server on 127.0.0.1; one per process, because moto's state is global."""

    def __init__(self, port: int = 0, *, any_key: bool = False) -> None:
        """Listen on a port, 0 for any. With `any_key`, signatures are not checked.

        Raises LocalCloudError when the port is taken.
        """
        self._sessions = UserSessions()
        self._sessions.install()
        self._keys = KeyRing(lambda key: self._sessions.find(key) or issued_credentials(key))
        self._gate = RequestGate(self._keys, lambda: datetime.now(UTC), any_key=any_key)
        # moto would allow every page in a browser to read its answers.
        setattr(werkzeug_app, "DISABLE_GLOBAL_CORS", True)  # noqa: B010 - for mypy
        # werkzeug would log one line per request.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        # werkzeug makes its own copy of the descriptor, so this socket is closed after it.
        with _listen(port) as listening:
            self._server = _make_server(listening, self._answer)
        self._moto = ErrorAnswers(DomainDispatcherApplication(create_backend_app))
        self._ours: list[ControlApp | InvocationApp] = []
        self._changed: Callable[[str, str], None] = lambda service, region: None
        self._full: Callable[[str], str | None] = lambda service: None
        self._reader = ""
        # The server looks for `shutdown` every 0.1 s.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="moto", daemon=True
        )

    def start(self) -> str:
        """Serve in a thread; return the URL. Raises LocalCloudError without a loopback."""
        self._thread.start()
        host, port = self._server.server_address[:2]
        try:
            socket.create_connection((str(host), int(port)), _SECONDS_TO_CONNECT).close()
        except OSError as error:
            self.stop()
            raise LocalCloudError(
                f"expected to reach {host!s}:{port} on this machine, got {error}; bring the "
                "loopback interface up (`ip link set lo up`) and allow connections to it"
            ) from error
        return f"http://{host!s}:{port}"

    def stop(self) -> None:
        """Stop serving, and join the thread."""
        self._server.shutdown()
        self._thread.join()

    def temporary_credentials(self) -> contextlib.AbstractContextManager[Credentials]:
        """Return a block in which a new access key is accepted, for the start of a cloud."""
        return self._keys.temporary()

    def accept_host(self, host: str) -> None:
        """Accept requests to one more name or address, beside 127.0.0.1 and localhost."""
        self._gate.accept_host(host)

    def watch(self, changed: Callable[[str, str], None], reader: str) -> None:
        """Call `changed` with service and region after each request that may change state.

        Requests whose user agent contains `reader` only read, and are not reported.
        """
        self._changed, self._reader = changed, reader

    def refuse_while(self, full: Callable[[str], str | None]) -> None:
        """Take no more objects while `full` returns why the disk did not take the last ones."""
        self._full = full

    def answer_sagemaker(self, handle: Callable[[ApiCall], Document]) -> None:
        """Let `handle` answer SageMaker's operations instead of moto."""
        self._ours.append(ControlApp(handle))

    def answer_invocations(self, invoke: Callable[[Invocation], InvocationResponse]) -> None:
        """Let `invoke` answer requests to endpoints instead of moto."""
        self._ours.append(InvocationApp(invoke))

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a WSGI request by the first application that handles it, else by moto.

        The gate comes first.
        """
        refusal = self._gate.refusal(environ)
        if refusal is not None:
            return refusal(environ, start_response)
        self._sessions.name_owner(environ)
        for app in self._ours:
            if app.handles(environ):
                return app(environ, start_response)
        scope = scope_of(environ)
        service = scope.service or "s3"  # presigned URLs are S3's
        if _brings_object(environ, service) and (reason := self._full(service)) is not None:
            full = RequestRefused(FULL, f"the local cloud cannot save more objects: {reason}", 507)
            return refuse(environ, service, full)(environ, start_response)
        answer = self._moto(environ, start_response)  # moto has changed its state by now
        agent = environ.get("HTTP_USER_AGENT", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") and (
            not self._reader or self._reader not in agent
        ):
            self._changed(service, scope.region)
        return answer


def _brings_object(environ: Mapping[str, Any], service: str) -> bool:
    deletes = environ["QUERY_STRING"].startswith("delete")
    return service == "s3" and environ["REQUEST_METHOD"] in ("PUT", "POST") and not deletes


def _listen(port: int) -> socket.socket:
    """Open the socket here: werkzeug would print an error and end the process."""
    if not 0 <= port <= 65535:
        raise LocalCloudError(f"expected a port from 1 to 65535, or 0 for any, got {port}")
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        raise LocalCloudError(
            f"expected a free port, got {port}: {error}; give another one, or 0 for any"
        ) from error


def _make_server(listening: socket.socket, answer: Any) -> BaseWSGIServer:
    return make_server(
        "127.0.0.1",
        0,
        answer,
        threaded=True,
        request_handler=_Handler,
        fd=listening.fileno(),
    )
