"""Errors in the protocol of the request, for what moto does not have and for its defects.

moto answers these with a page of HTML, which no client of AWS can read.

https://smithy.io/2.0/aws/protocols/index.html
"""

import io
import json
import logging
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from werkzeug import Response

from longspan.infra.local.moto.access import scope_of

__all__ = ["ErrorAnswers"]

_FORM = "application/x-www-form-urlencoded"
_PAGE = b"<!doctype html"
# Services whose REST protocol is XML, by the name in the signature.
_XML = frozenset({"cloudfront", "route53", "s3", "s3-outposts"})


class ErrorAnswers:
    """WSGI application around moto's."""

    def __init__(self, moto: Any) -> None:
        self._moto = moto

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a WSGI request by moto, or by an error."""
        operation = _operation(environ)
        begun: list[Any] = []
        try:
            answer = self._moto(environ, lambda *head: begun.append(head))
        except NotImplementedError:
            return _unknown(environ, operation)(environ, start_response)
        except Exception as error:
            logging.getLogger(__name__).exception("%s failed", operation)
            reason = f"{type(error).__name__}: {error}"
            return _error(environ, 500, "InternalFailure", reason)(environ, start_response)
        status, headers, *_ = begun[0]
        # Only errors are read here: contents of objects are long, and pass on as they come.
        if int(status[:3]) < 400:
            start_response(status, headers)
            return answer
        content = b"".join(answer)
        if _says_nothing(environ, content):
            return _unknown(environ, operation)(environ, start_response)
        start_response(status, headers)
        return [content]


def _says_nothing(environ: Mapping[str, Any], content: bytes) -> bool:
    """Return whether an error is a page, or empty without being that of an object's headers."""
    empty = not content and environ["REQUEST_METHOD"] != "HEAD"
    return empty or content[: len(_PAGE)].lower() == _PAGE


def _operation(environ: dict[str, Any]) -> str:
    """Return the name of the operation, or method and path where only these tell it."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2]
    if _is_form(environ):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)  # for moto
        action = parse_qs(body.decode("utf-8", "replace")).get("Action")
        if action:
            return action[0]
    if environ.get("HTTP_SMITHY_PROTOCOL"):
        return str(environ["PATH_INFO"]).rpartition("/")[2]
    return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def _is_form(environ: Mapping[str, Any]) -> bool:
    return str(environ.get("CONTENT_TYPE", "")).startswith(_FORM)


def _unknown(environ: Mapping[str, Any], operation: str) -> Response:
    service = scope_of(environ).service or "s3"
    message = f"The local cloud has no {operation} of {service}"
    if _is_form(environ):
        return _error(environ, 400, "InvalidAction", message)
    if service == "s3":
        return _error(environ, 501, "NotImplemented", message)
    status = 400 if environ.get("HTTP_X_AMZ_TARGET") else 404
    return _error(environ, status, "UnknownOperationException", message)


def _error(environ: Mapping[str, Any], status: int, code: str, message: str) -> Response:
    """Return an error in the protocol of the request."""
    request_id = secrets.token_hex(16)
    service = scope_of(environ).service or "s3"
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        content, kind = _cbor({"__type": code, "message": message}), "application/cbor"
    elif _is_form(environ) or service in _XML:
        content, kind = _xml(service, code, message, request_id).encode(), "text/xml"
    else:
        content = json.dumps({"__type": code, "message": message}).encode()
        kind = environ.get("CONTENT_TYPE") or "application/json"
    headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": code}
    if kind == "application/cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
    return Response(content, status, headers, content_type=kind)


def _xml(service: str, code: str, message: str, request_id: str) -> str:
    error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if service == "s3":
        return f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
    if service == "ec2":
        number = f"<RequestID>{request_id}</RequestID>"
        return f"<Response><Errors><Error>{error}</Error></Errors>{number}</Response>"
    number = f"<RequestId>{request_id}</RequestId>"
    return f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>{number}</ErrorResponse>"


def _cbor(content: Mapping[str, str]) -> bytes:
    """Return a map of texts in CBOR (RFC 8949), each with a length of two bytes."""
    texts = [text.encode()[:65_535] for pair in content.items() for text in pair]
    head = bytes([0xA0 + len(content)])
    return head + b"".join(b"\x79" + len(text).to_bytes(2) + text for text in texts)
