"""Links to S3 with a signature of version 2, which boto3 still creates by default.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

import hmac
from datetime import datetime
from urllib.parse import SplitResult

from botocore.auth import HmacV1QueryAuth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials as BotoCredentials

from longspan.infra.local.gate.http_request import HttpRequest
from longspan.infra.local.gate.keys import KeyRing
from longspan.infra.local.gate.refusals import FORBIDDEN, WRONG_SIGNATURE, RequestRefused

__all__ = ["is_old_link", "verify_old_link"]

_SIGNED = ("content-md5", "content-type")


def is_old_link(request: HttpRequest) -> bool:
    """Return whether the query of a request has a signature of version 2."""
    return request.parameter("AWSAccessKeyId") is not None


def verify_old_link(request: HttpRequest, keys: KeyRing, bucket: str, now: datetime) -> None:
    """Check signature and time of a link; `bucket` is the one that the host names, or empty.

    Raises RequestRefused.
    """
    key, expires = request.parameter("AWSAccessKeyId") or "", request.parameter("Expires") or ""
    headers = {**request.headers, **{name.lower(): value for name, value in request.query}}
    secret = keys.secret(key, headers.get("x-amz-security-token"))
    if not expires.isdecimal() or int(expires) < now.timestamp():
        raise RequestRefused(FORBIDDEN, "Request has expired")
    signed = HTTPHeaders()
    for name, value in headers.items():
        if name in _SIGNED or name.startswith("x-amz-"):
            signed[name] = value
    query = "&".join(f"{name}={value}" if value else name for name, value in request.query)
    split = SplitResult(
        "http", "", f"/{bucket}{request.path}" if bucket else request.path, query, ""
    )
    expected = _Link(BotoCredentials(key, secret), expires).get_signature(
        request.method, split, signed
    )
    if not hmac.compare_digest(expected.encode(), (request.parameter("Signature") or "").encode()):
        raise RequestRefused(WRONG_SIGNATURE, "The signature of the link does not match.")


class _Link(HmacV1QueryAuth):  # type: ignore[misc]
    """botocore's signature, with the time of the link that is checked."""

    def _get_date(self) -> str:
        return str(self._expires)
