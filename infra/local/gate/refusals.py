"""Refusals of the gate, with the names that they have in each protocol.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from longspan.infra.local.gate.protocols import JSON, QUERY, S3, error_answer, family

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
    "RequestRefused",
    "refuse",
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


class RequestRefused(Exception):
    """A request that the gate does not let through; the text is for the client."""

    def __init__(self, code: Code, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def refuse(environ: Mapping[str, Any], service: str, refusal: RequestRefused) -> Response:
    """Return the answer to a request that is refused; `service` is that of its signature."""
    code = refusal.code
    names = {JSON: code.json, QUERY: code.query, S3: code.s3}
    name = names[family(environ, service)]
    return error_answer(environ, service, refusal.status, name, str(refusal))
