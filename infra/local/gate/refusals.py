"""Refusals of the gate, answered in the protocol of the request, so that clients can read them.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from werkzeug import Response

__all__ = [
    "BAD_TOKEN",
    "EXPIRED",
    "FORBIDDEN",
    "FULL",
    "UNKNOWN_KEY",
    "UNSIGNED",
    "WRONG_BODY",
    "WRONG_SIGNATURE",
    "Code",
    "Refusal",
    "error_answer",
]


@dataclass(frozen=True)
class Code:
    """Name of an error in JSON protocols, in AWS's query protocol, and in S3."""

    json: str
    query: str
    s3: str


FORBIDDEN = Code("AccessDeniedException", "AccessDenied", "AccessDenied")
UNSIGNED = Code("MissingAuthenticationTokenException", "MissingAuthenticationToken", "AccessDenied")
UNKNOWN_KEY = Code("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId")
BAD_TOKEN = Code("UnrecognizedClientException", "InvalidClientTokenId", "InvalidToken")
WRONG_SIGNATURE = Code(
    "InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"
)
EXPIRED = Code("InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed")
WRONG_BODY = Code("InvalidSignatureException", "SignatureDoesNotMatch", "XAmzContentSHA256Mismatch")
FULL = Code("InsufficientStorageException", "InsufficientStorage", "InsufficientStorage")


class Refusal(Exception):
    """A request that the gate does not let through; the text is for the client."""

    def __init__(self, code: Code, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def error_answer(
    environ: Mapping[str, Any], service: str, code: Code, message: str, status: int
) -> Response:
    """Return an error in the protocol of a request; `service` is that of its signature, or empty.

    https://smithy.io/2.0/aws/protocols/index.html
    """
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
        return Response(_cbor({"__type": code.json, "message": message}), status, headers)
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    target = "HTTP_X_AMZ_TARGET" in environ
    if form and not target:
        error = f"<Error><Type>Sender</Type>{_xml(code.query, message)}</Error>"
        return _document(f"<ErrorResponse>{error}</ErrorResponse>", status)
    if not target and service in ("", "s3"):
        return _document(f"<Error>{_xml(code.s3, message)}</Error>", status)
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code.json}
    return Response(json.dumps({"__type": code.json, "message": message}), status, headers)


def _xml(code: str, message: str) -> str:
    return f"<Code>{code}</Code><Message>{escape(message)}</Message>"


def _document(xml: str, status: int) -> Response:
    declaration = '<?xml version="1.0" encoding="UTF-8"?>'
    return Response(f"{declaration}\n{xml}", status, content_type="text/xml")


def _cbor(members: Mapping[str, str]) -> bytes:
    """Return a map of texts in CBOR (RFC 8949): every head holds its length in four bytes."""
    texts = [text.encode() for pair in members.items() for text in pair]
    return bytes([0xA0 + len(members)]) + b"".join(
        b"\x7a" + len(text).to_bytes(4) + text for text in texts
    )
