"""Errors in the protocol of a request, so that every client of AWS can read them.

https://smithy.io/2.0/aws/protocols/index.html
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from werkzeug import Response

__all__ = ["JSON", "QUERY", "S3", "error_answer", "family"]

# Families of protocols, which have their own names for some errors.
JSON, QUERY, S3 = "json", "query", "s3"
_FORM = "application/x-www-form-urlencoded"
# Services whose REST protocol is XML, by the name in the signature.
_XML = frozenset({"cloudfront", "route53", "s3", "s3-outposts"})


def family(environ: Mapping[str, Any], service: str) -> str:
    """Return the family of a request's protocol; `service` is the one that its signature names."""
    if environ.get("HTTP_X_AMZ_TARGET") or environ.get("HTTP_SMITHY_PROTOCOL"):
        return JSON
    if str(environ.get("CONTENT_TYPE", "")).startswith(_FORM):
        return QUERY
    if service == "s3":
        return S3
    return QUERY if service in _XML else JSON


def error_answer(
    environ: Mapping[str, Any], service: str, status: int, code: str, message: str
) -> Response:
    """Return an error in the protocol of a request."""
    request_id = secrets.token_hex(16)
    headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": code}
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
        content, kind = _cbor({"__type": code, "message": message}), "application/cbor"
    elif family(environ, service) == JSON:
        content = json.dumps({"__type": code, "message": message}).encode()
        kind = environ.get("CONTENT_TYPE") or "application/json"
    else:
        content, kind = _xml(service, code, message, request_id).encode(), "text/xml"
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
