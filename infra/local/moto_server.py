"""The server, moto's, with SageMaker's operations answered by the local control plane.

Every touch of moto's internals is in this module; moto is pinned, and
`tests/infra/local/test_moto_server.py` fails when an upgrade moves what is touched.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto import settings
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse
from werkzeug.exceptions import HTTPException

from longspan.infra.local import arns
from longspan.infra.local.api import ApiError, Call, Document

__all__ = ["Answer", "Invocation", "MotoServer", "require_signatures"]


@dataclass(frozen=True)
class Invocation:
    """One request to an endpoint's `/invocations`."""

    endpoint: str
    region: str
    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str]  # X-Amzn-SageMaker-*, as the client sent them


@dataclass(frozen=True)
class Answer:
    """What the endpoint said, or the runtime about it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class MotoServer:
    """moto's server on 127.0.0.1; one in a process, since moto's state is the process's."""

    def __init__(self, port: int = 0) -> None:
        # One line a request belongs to a web server, not to this.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)

    def start(self) -> str:
        """Serve in a thread; the URL. Raises OSError when the port is taken."""
        self._server.start()
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    def stop(self) -> None:
        """Answer nothing more."""
        self._server.stop()

    def answer_sagemaker(
        self, operations: frozenset[str], handle: Callable[[Call], Document]
    ) -> None:
        """Let `handle` answer these operations instead of moto."""
        original = SageMakerResponse.call_action

        def call_action(self: Any) -> Any:
            if self._get_action() not in operations:
                return original(self)
            return _answer(self, handle)

        SageMakerResponse.call_action = call_action

    def answer_invocations(self, invoke: Callable[[Invocation], Answer]) -> None:
        """Let `invoke` answer InvokeEndpoint."""

        def invoke_endpoint(self: Any) -> Any:
            answer = invoke(_invocation(self))
            return answer.status, dict(answer.headers), answer.body

        SageMakerRuntimeResponse.invoke_endpoint = invoke_endpoint


def require_signatures() -> None:
    """From now on every request must be signed by a known key whose policies allow it."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0


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


def _invocation(response: Any) -> Invocation:
    headers = response.headers
    body = response.raw_body
    return Invocation(
        endpoint=response.path.split("/")[2],
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
