"""The server, moto's, with SageMaker's operations answered by the local control plane.

Every touch of moto's internals is in this module, in `moto_access` and in `moto_state`; moto is
pinned, and `tests/infra/local/test_moto_server.py` fails when an upgrade moves what is touched.
"""

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.sagemaker.responses import SageMakerResponse
from werkzeug.serving import BaseWSGIServer, make_server

from longspan.infra.local import arns, shapes
from longspan.infra.local.api import ApiError, Call, Document
from longspan.infra.local.invocation_app import InvocationApp, scope_of
from longspan.infra.local.invocations import Answer, Invocation
from longspan.infra.local.moto_access import Signed, authorize, caller_of

__all__ = ["MotoServer"]

_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}


class MotoServer:
    """moto's server on 127.0.0.1; one in a process, since moto's state is the process's."""

    def __init__(self, port: int = 0) -> None:
        """Take the port, 0 for any. Raises OSError when it is taken."""
        # One line a request belongs to a web server, not to this.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        with _listen(port) as listening:
            self._server = _make_server(listening, self._answer)
        self._application = DomainDispatcherApplication(create_backend_app)
        self._changed: Callable[[str, str], None] = lambda service, region: None
        self._reader = ""
        self._invocations: InvocationApp | None = None
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
        """Let `handle` answer all of SageMaker's operations instead of moto."""

        def call_action(self: Any) -> Any:
            return _answer(self, handle)

        setattr(SageMakerResponse, "call_action", call_action)  # noqa: B010 - a hook, for mypy too

    def answer_invocations(self, invoke: Callable[[Invocation], Answer]) -> None:
        """Let `invoke` answer requests to endpoints, for those whom policies allow it."""
        self._invocations = InvocationApp(invoke)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        """As WSGI has it."""
        if self._invocations is not None and self._invocations.handles(environ):
            return self._invocations(environ, start_response)
        answer = self._application(environ, start_response)
        agent = environ.get("HTTP_USER_AGENT", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") and (
            not self._reader or self._reader not in agent
        ):
            self._changed(*_changed(environ))
        return answer


def _listen(port: int) -> socket.socket:
    """werkzeug itself would print an error and end the process."""
    return socket.create_server(("127.0.0.1", port), backlog=128)


def _make_server(listening: socket.socket, answer: Any) -> BaseWSGIServer:
    return make_server(
        "127.0.0.1",
        0,
        answer,
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listening.fileno(),
    )


def _changed(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Service and region of a request; one that was signed in its URL is S3's."""
    _, region, service = scope_of(environ)
    return service or "s3", region


def _answer(response: Any, handle: Callable[[Call], Document]) -> Any:
    """moto's response object in, `(status, headers, body)` out, of JSON protocol 1.1."""
    operation = response._get_action()
    try:
        call = _call(response, operation)
        _authorize(response, call)
        return _json(200, handle(call))
    except ApiError as error:
        return _json(error.status, {"__type": error.code, "message": str(error)})
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", operation)
        reason = f"{type(error).__name__}: {error}"
        return _json(500, {"__type": "InternalFailure", "message": reason})


def _authorize(response: Any, call: Call) -> None:
    """Whoever names a role must be allowed to pass it on to SageMaker. Raises ApiError."""
    body, headers = response.raw_body or b"", response.headers
    signed = Signed(call.account, response.method, response.raw_path, body, headers)
    resource = arns.resource(call.operation, call.request, call.region, call.account)
    authorize(signed, f"sagemaker:{call.operation}", resource)
    for role in shapes.strings(call.operation, call.request, "RoleArn"):
        authorize(signed, "iam:PassRole", role, _SAGEMAKER)


def _call(response: Any, operation: str) -> Call:
    try:
        request = json.loads(response.body or "{}")
    except ValueError as error:
        raise _Serialization(f"the request is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise _Serialization("the request is not a JSON object")
    account, region = response.current_account, response.region
    caller = caller_of(account, region, response.access_key)
    return Call(operation, request, region, account, caller)


class _Serialization(ApiError):
    code = "SerializationException"


def _json(status: int, body: Mapping[str, Any]) -> tuple[int, dict[str, str], str]:
    headers = {"Content-Type": "application/x-amz-json-1.1", "status": str(status)}
    return status, headers, json.dumps(body, ensure_ascii=True)
