"""SageMaker's control plane as a WSGI application: requests and answers in JSON protocol 1.1.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

import json
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from werkzeug import Request, Response

from longspan.infra.local.control import shapes
from longspan.infra.local.control.api import ApiCall, ApiError, Document, Unsigned
from longspan.infra.local.moto.access import Signed, account_of, authorize, caller_of, scope_of
from longspan.infra.local.moto.arns import resources

__all__ = ["ControlApp"]

_TARGET = "SageMaker."
_CONTEXT = {"iam:PassedToService": "sagemaker.amazonaws.com"}


class ControlApp:
    """WSGI application that answers authorized requests by `handle`."""

    def __init__(self, handle: Callable[[ApiCall], Document]) -> None:
        self._handle = handle

    def handles(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a request is for SageMaker."""
        target: str = environ.get("HTTP_X_AMZ_TARGET", "")
        return environ["REQUEST_METHOD"] == "POST" and target.startswith(_TARGET)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a WSGI request."""
        request = Request(environ)
        operation = request.headers["X-Amz-Target"].removeprefix(_TARGET)
        response = self._answer(request, operation)
        response.headers["x-amzn-RequestId"] = secrets.token_hex(16)
        return response(environ, start_response)

    def _answer(self, request: Request, operation: str) -> Response:
        try:
            return _json(200, self._handle(_call(request, operation)))
        except ApiError as error:
            return _json(error.status, {"__type": error.code, "message": str(error)})
        except OSError as error:  # the change is not on disk, so it was not made
            reason = f"the local cloud cannot save it: {error.strerror or error}"
            return _json(500, {"__type": "InternalFailure", "message": reason})
        except Exception as error:
            logging.getLogger(__name__).exception("%s failed", operation)
            reason = f"{type(error).__name__}: {error}"
            return _json(500, {"__type": "InternalFailure", "message": reason})


def _call(request: Request, operation: str) -> ApiCall:
    """Return the authorized call; a caller who names a role needs the permission to pass it.

    Raises ApiError.
    """
    scope, body = scope_of(request.environ), request.get_data()
    if not scope.key:
        raise Unsigned("Missing Authentication Token")
    account, content = account_of(scope.key), _content(body)
    signed = Signed(account, "POST", request.path, body, request.headers)
    for resource in resources(operation, content, scope.region, account):
        authorize(signed, f"sagemaker:{operation}", resource)
    for role in shapes.strings(operation, content, "RoleArn"):
        authorize(signed, "iam:PassRole", role, _CONTEXT)
    caller = caller_of(account, scope.region, scope.key)
    return ApiCall(operation, content, scope.region, account, caller)


def _content(body: bytes) -> Document:
    try:
        content = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _Serialization(f"the request is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise _Serialization("the request is not a JSON object")
    return content


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's parser takes: answers could not contain them."""
    raise ValueError(f"{name} is not a value of JSON")


class _Serialization(ApiError):
    code = "SerializationException"


def _json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), status, content_type="application/x-amz-json-1.1")
