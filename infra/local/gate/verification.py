"""Verification of requests: each must be signed with an access key that was issued.

The signature is in the header `Authorization`, in the query of a link, or in the form of an upload.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from longspan.infra.local.gate.chunks import CHUNKS, verify_chunks
from longspan.infra.local.gate.forms import is_upload_form, verify_form
from longspan.infra.local.gate.http_request import HttpRequest
from longspan.infra.local.gate.keys import KeyRing
from longspan.infra.local.gate.links import is_old_link, verify_old_link
from longspan.infra.local.gate.refusals import (
    EXPIRED,
    FORBIDDEN,
    UNSIGNED,
    WRONG_BODY,
    WRONG_SIGNATURE,
    RequestRefused,
)
from longspan.infra.local.gate.signature import (
    ALGORITHM,
    SigningScope,
    canonical_request,
    signature_of,
)

__all__ = ["verify"]

_SKEW = timedelta(minutes=15)  # between the clocks of client and service
_LONGEST = 7 * 24 * 3600  # seconds for which a link may be valid
_NAME = re.compile(r"[a-z0-9-]+")  # regions and services
_UNSIGNED_BODIES = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")


@dataclass(frozen=True)
class _Signature:
    """Signature of a request; `seconds` is the time for which a link is valid, None for others."""

    scope: SigningScope
    headers: Sequence[str]  # names of the signed ones, in lower case
    text: str
    token: str | None
    seconds: int | None


def verify(request: HttpRequest, keys: KeyRing, bucket: str, now: datetime) -> None:
    """Check the signature of a request; `bucket` is the one that its host names, or empty.

    Raises RequestRefused.
    """
    if request.header("Authorization") is not None:
        _verify(request, keys, _of_header(request), now)
    elif request.parameter("X-Amz-Algorithm") is not None:
        _verify(request, keys, _of_link(request), now)
    elif is_old_link(request):
        verify_old_link(request, keys, bucket, now)
    elif is_upload_form(request):
        verify_form(request, keys, bucket, now)
    else:
        raise RequestRefused(UNSIGNED, "Missing Authentication Token: expected a signed request")


def _of_header(request: HttpRequest) -> _Signature:
    """Return the signature in `Authorization`. Raises RequestRefused."""
    algorithm, _, rest = (request.header("Authorization") or "").partition(" ")
    if algorithm != ALGORITHM:
        raise RequestRefused(
            WRONG_SIGNATURE,
            "The authorization mechanism you have provided is not supported. Please use "
            f"{ALGORITHM}.",
        )
    pairs = (part.strip().partition("=") for part in rest.split(","))
    parts = {name: value for name, _, value in pairs}
    return _signature(
        parts.get("Credential"),
        request.header("X-Amz-Date"),
        parts.get("SignedHeaders"),
        parts.get("Signature"),
        request.header("X-Amz-Security-Token"),
    )


def _of_link(request: HttpRequest) -> _Signature:
    """Return the signature in the query. Raises RequestRefused."""
    read = request.parameter
    seconds = read("X-Amz-Expires") or ""
    if read("X-Amz-Algorithm") != ALGORITHM:
        raise RequestRefused(WRONG_SIGNATURE, f"X-Amz-Algorithm only supports {ALGORITHM}")
    if not seconds.isdecimal() or not 0 < int(seconds) <= _LONGEST:
        raise RequestRefused(FORBIDDEN, f"X-Amz-Expires must be from 1 to {_LONGEST} seconds")
    return _signature(
        read("X-Amz-Credential"),
        read("X-Amz-Date"),
        read("X-Amz-SignedHeaders"),
        read("X-Amz-Signature"),
        read("X-Amz-Security-Token"),
        int(seconds),
    )


def _signature(
    credential: str | None,
    time: str | None,
    headers: str | None,
    text: str | None,
    token: str | None,
    seconds: int | None = None,
) -> _Signature:
    parts = (credential or "").split("/")
    complete = time and headers and text and len(parts) == 5 and parts[4] == "aws4_request"
    if not complete or not all(_NAME.fullmatch(part) for part in parts[2:4]):
        raise RequestRefused(
            WRONG_SIGNATURE,
            "expected Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders, Signature "
            "and X-Amz-Date in the request's signature",
        )
    assert time is not None
    assert headers is not None
    assert text is not None
    scope = SigningScope(parts[0], parts[1], parts[2], parts[3], time)
    return _Signature(scope, headers.split(";"), text, token, seconds)


def _verify(request: HttpRequest, keys: KeyRing, given: _Signature, now: datetime) -> None:
    """Check key, signed headers, time, signature and body, in this order. Raises RequestRefused."""
    scope = given.scope
    secret = keys.secret(scope.key, given.token)
    left_out = request.unsigned(given.headers)
    if "host" not in given.headers or left_out:
        raise RequestRefused(
            FORBIDDEN,
            "There were headers present in the request which were not signed: "
            f"{', '.join(left_out) or 'host'}",
        )
    _check_time(given, now)
    payload = _payload(request, given)
    expected = signature_of(
        secret, scope, canonical_request(request, scope, given.headers, payload)
    )
    if not hmac.compare_digest(expected.encode(), given.text.encode()):
        raise RequestRefused(
            WRONG_SIGNATURE,
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )
    # Only now: a body may be large, and its sender is known by now.
    if payload.startswith(CHUNKS):
        verify_chunks(request.body(), secret, scope, expected)
    elif payload not in _UNSIGNED_BODIES and payload != hashlib.sha256(request.body()).hexdigest():
        raise RequestRefused(
            WRONG_BODY,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


def _check_time(given: _Signature, now: datetime) -> None:
    """Check that a request was signed a short time ago, and that a link is still valid."""
    try:
        made = datetime.strptime(given.scope.time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        made = datetime.min.replace(tzinfo=UTC)
    if given.scope.time[:8] != given.scope.date:
        raise RequestRefused(WRONG_SIGNATURE, "Date in Credential scope does not match X-Amz-Date")
    if given.seconds is not None and now > made + timedelta(seconds=given.seconds):
        raise RequestRefused(FORBIDDEN, "Request has expired")
    if made > now + _SKEW or (given.seconds is None and made < now - _SKEW):
        raise RequestRefused(
            EXPIRED, "The difference between the request time and the current time is too large."
        )


def _payload(request: HttpRequest, given: _Signature) -> str:
    """Return the hash of the body that was signed, by the request's own word if it has one."""
    stated = request.header("X-Amz-Content-Sha256") or request.parameter("X-Amz-Content-Sha256")
    if stated is not None:
        return stated
    if given.seconds is not None and given.scope.s3:
        return "UNSIGNED-PAYLOAD"
    return hashlib.sha256(request.body()).hexdigest()
