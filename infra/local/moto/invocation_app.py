"""SageMaker's runtime API as a WSGI application: requests to endpoints, with any body.

moto cannot answer them, because it decodes every body as text.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Runtime.html
"""

import re
import secrets
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from werkzeug import Request, Response

from longspan.infra.local.control.api import ApiError, Unsigned
from longspan.infra.local.control.invocations import (
    Invocation,
    InvocationResponse,
    error_response,
    validation_error,
)
from longspan.infra.local.moto.access import Signed, account_of, authorize, scope_of

__all__ = ["InvocationApp", "payload_parts"]

_PATH = re.compile(r"/endpoints/([^/]+)/((?:async-)?invocations(?:-response-stream)?)")
_OPERATIONS = {
    "invocations": "InvokeEndpoint",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
    "async-invocations": "InvokeEndpointAsync",
}
_LONGEST = 6 * 1024 * 1024  # bytes of a body
_STREAM = "application/vnd.amazon.eventstream"


class InvocationApp:
    """WSGI application that answers authorized requests by `invoke`."""

    def __init__(self, invoke: Callable[[Invocation], InvocationResponse]) -> None:
        self._invoke = invoke

    def handles(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a request is for the runtime, and not for a bucket `endpoints` on S3."""
        return (
            environ["REQUEST_METHOD"] == "POST"
            and _PATH.fullmatch(environ["PATH_INFO"]) is not None
            and scope_of(environ).service in ("", "sagemaker")
        )

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a WSGI request."""
        request = Request(environ)
        found = _PATH.fullmatch(request.path)
        assert found is not None
        operation = _OPERATIONS[found[2]]
        try:
            answer = self._answer(request, found[1], operation)
        except ApiError as error:
            answer = error_response(403, error.code, str(error))
        response = _streamed(answer) if operation.endswith("Stream") else _plain(answer)
        response.headers["x-amzn-RequestId"] = secrets.token_hex(16)
        return response(environ, start_response)

    def _answer(self, request: Request, endpoint: str, operation: str) -> InvocationResponse:
        """Return the response. Raises ApiError for a sender who may not invoke the endpoint."""
        scope, body = scope_of(request.environ), request.get_data()
        if not scope.key:
            raise Unsigned("Missing Authentication Token")
        account, region = account_of(scope.key), scope.region
        resource = f"arn:aws:sagemaker:{region}:{account}:endpoint/{endpoint}"
        signed = Signed(account, "POST", request.path, body, request.headers)
        authorize(signed, f"sagemaker:{operation}", resource)
        if operation == "InvokeEndpointAsync":
            return validation_error(
                f"Endpoint {endpoint} is not asynchronous: the local cloud has no asynchronous "
                "inference; use InvokeEndpoint"
            )
        if len(body) > _LONGEST:
            return validation_error(
                "1 validation error detected: Value at 'body' failed to satisfy constraint: "
                f"Member must have length less than or equal to {_LONGEST}"
            )
        return self._invoke(_invocation(request, endpoint, account, region, body))


def _invocation(
    request: Request, endpoint: str, account: str, region: str, body: bytes
) -> Invocation:
    headers = request.headers
    return Invocation(
        endpoint=endpoint,
        account=account,
        region=region,
        body=body,
        content_type=headers.get("Content-Type") or "",
        # For a streamed response, HTTP's own header names the format of the stream.
        accept=headers.get("X-Amzn-SageMaker-Accept") or headers.get("Accept") or "",
        headers={
            name: value
            for name, value in headers.items()
            if name.lower().startswith("x-amzn-sagemaker")
        },
    )


def _plain(answer: InvocationResponse) -> Response:
    return Response(answer.body, answer.status, answer.headers)


def _streamed(answer: InvocationResponse) -> Response:
    """Return a response as an event stream; an error is not streamed."""
    if answer.status != 200:
        return _plain(answer)
    headers = {**answer.headers, "X-Amzn-SageMaker-Content-Type": answer.headers["Content-Type"]}
    headers["Content-Type"] = _STREAM
    return Response(payload_parts(answer.body), 200, headers)


_PART = 65_536  # bytes of one message's payload
_STRING = 7  # the type of a header's value


def payload_parts(body: bytes) -> Iterator[bytes]:
    """Yield a body as messages of AWS's event stream; none for an empty body.

    https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream
    """
    headers = {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    for start in range(0, len(body), _PART):
        yield _message(headers, body[start : start + _PART])


def _message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one message: lengths and their checksum, headers, payload, checksum of the whole."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    # | total length | headers' length | CRC | headers | payload | CRC |: each number has 4 bytes,
    # so 16 bytes of the total are not headers or payload.
    prelude = struct.pack("!II", len(packed) + len(payload) + 16, len(packed))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    # | name's length: 1 | name | type: 1 | value's length: 2 | value |, in bytes.
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(text)) + text
