"""Errors in the protocol of the request, for what moto does not have and for its defects.

moto answers these with a page of HTML, which no client of AWS can read.

https://smithy.io/2.0/aws/protocols/index.html
"""

import io
import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from werkzeug import Response

from longspan.infra.local.gate.protocols import QUERY, S3, error_answer, family
from longspan.infra.local.moto.access import scope_of

__all__ = ["ErrorAnswers"]

_FORM = "application/x-www-form-urlencoded"
_PAGE = b"<!doctype html"


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
    kind = family(environ, service)
    if kind == QUERY and _is_form(environ):
        return _error(environ, 400, "InvalidAction", message)
    if kind == S3:
        return _error(environ, 501, "NotImplemented", message)
    status = 400 if environ.get("HTTP_X_AMZ_TARGET") else 404
    return _error(environ, status, "UnknownOperationException", message)


def _error(environ: Mapping[str, Any], status: int, code: str, message: str) -> Response:
    return error_answer(environ, scope_of(environ).service or "s3", status, code, message)
