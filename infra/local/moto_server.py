"""The server, moto's, with SageMaker's operations answered by the local control plane.

Every touch of moto's internals is in this module and in `moto_state`; moto is pinned, and
`tests/infra/local/test_moto_server.py` fails when an upgrade moves what is touched.
"""

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from moto import settings
from moto.iam.access_control import IAMPolicyStatement
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, make_server

from longspan.infra.local import arns
from longspan.infra.local.api import ApiError, Call, Document
from longspan.infra.local.invocations import Answer, Invocation

__all__ = ["MotoServer", "require_signatures"]


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

    def answer_sagemaker(
        self, operations: frozenset[str], handle: Callable[[Call], Document]
    ) -> None:
        """Let `handle` answer these operations instead of moto."""
        original = SageMakerResponse.call_action

        def call_action(self: Any) -> Any:
            if self._get_action() not in operations:
                return original(self)
            return _answer(self, handle)

        setattr(SageMakerResponse, "call_action", call_action)  # noqa: B010 - a hook, for mypy too

    def answer_invocations(self, invoke: Callable[[Invocation], Answer]) -> None:
        """Let `invoke` answer InvokeEndpoint, for those whom policies allow it."""

        def invoke_endpoint(self: Any) -> Any:
            answer = invoke(_invocation(self))
            # moto takes the status from among the headers.
            headers = {**answer.headers, "status": str(answer.status)}
            return answer.status, headers, answer.body

        setattr(SageMakerRuntimeResponse, "invoke_endpoint", invoke_endpoint)  # noqa: B010
        setattr(SageMakerRuntimeResponse, "_determine_resource", _endpoint_arn)  # noqa: B010

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        """As WSGI has it."""
        answer = self._application(environ, start_response)
        agent = environ.get("HTTP_USER_AGENT", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") and (
            not self._reader or self._reader not in agent
        ):
            self._changed(*_scope(environ))
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


def _scope(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Service and region that a request was signed for; one that was signed in its URL is S3's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    _, _, credential = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")
    scope = credential.partition(",")[0].split("/")
    return (scope[3], scope[2]) if len(scope) == 5 else ("s3", "")


def require_signatures() -> None:
    """From now on every request must be signed by a known key whose policies allow it."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    original = IAMPolicyStatement._check_principal

    def check_principal(self: Any, principal: str) -> bool:
        """A role that trusts a service trusts the administrator, as whom our services assume it.

        Whoever assumes a role must also be allowed to, by policies of their own.
        """
        trusted = self._statement.get("Principal")
        if isinstance(trusted, dict) and "AWS" not in trusted:
            return "Service" in trusted
        return bool(original(self, principal))

    setattr(IAMPolicyStatement, "_check_principal", check_principal)  # noqa: B010


def _answer(response: Any, handle: Callable[[Call], Document]) -> Any:
    """moto's response object in, `(status, headers, body)` out, of JSON protocol 1.1."""
    operation = response._get_action()
    try:
        call = _call(response, operation)
        response._authenticate_and_authorize_normal_action(
            arns.resource(operation, call.request, call.region, call.account)
        )
        return _json(200, handle(call))
    except HTTPException as refused:
        return refused.code, {"Content-Type": "application/x-amz-json-1.1"}, refused.description
    except ApiError as error:
        return _json(error.status, {"__type": error.code, "message": str(error)})
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", operation)
        reason = f"{type(error).__name__}: {error}"
        return _json(500, {"__type": "InternalFailure", "message": reason})


def _call(response: Any, operation: str) -> Call:
    try:
        request = json.loads(response.body or "{}")
    except ValueError as error:
        raise _Serialization(f"the request is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise _Serialization("the request is not a JSON object")
    account = response.current_account
    key = response.access_key or "anonymous"
    caller = f"arn:aws:iam::{account}:user/{key}"
    return Call(operation, request, response.region, account, caller)


class _Serialization(ApiError):
    code = "SerializationException"


def _json(status: int, body: Mapping[str, Any]) -> tuple[int, dict[str, str], str]:
    headers = {"Content-Type": "application/x-amz-json-1.1", "status": str(status)}
    return status, headers, json.dumps(body, ensure_ascii=True)


def _endpoint(response: Any) -> str:
    return str(response.path.split("/")[2])


def _endpoint_arn(response: Any) -> str:
    account, region = response.current_account, response.region
    return f"arn:aws:sagemaker:{region}:{account}:endpoint/{_endpoint(response)}"


def _invocation(response: Any) -> Invocation:
    headers = response.headers
    body = response.raw_body
    return Invocation(
        endpoint=_endpoint(response),
        account=response.current_account,
        region=response.region,
        body=body if isinstance(body, bytes) else str(body or "").encode(),
        content_type=headers.get("Content-Type") or "",
        accept=headers.get("Accept") or "",
        headers={
            name: value
            for name, value in headers.items()
            if name.lower().startswith("x-amzn-sagemaker")
        },
    )
