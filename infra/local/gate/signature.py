"""Signature Version 4: the signature that a request must have, by the secret of its access key.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from botocore.utils import normalize_url_path

from longspan.infra.local.gate.http_request import HttpRequest

__all__ = ["ALGORITHM", "EMPTY_HASH", "SigningScope", "canonical_request", "sign", "signature_of"]

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()  # hash of an empty body
_BYTES = "surrogateescape"  # keeps bytes that are not UTF-8
# Paths of these services are encoded once in the canonical request, those of all others twice.
_S3 = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})


@dataclass(frozen=True)
class SigningScope:
    """Credential scope of a signature, and the time when it was made, as `20261201T120000Z`."""

    key: str
    date: str
    region: str
    service: str
    time: str

    @property
    def s3(self) -> bool:
        """Whether the rules of S3 hold."""
        return self.service in _S3

    @property
    def text(self) -> str:
        """The scope without the key, as it is signed."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def canonical_request(
    request: HttpRequest, scope: SigningScope, signed: Sequence[str], payload: str
) -> bytes:
    """Return the canonical form of a request: `signed` are its signed headers, in their order."""
    lines = [
        request.method,
        _path(request.path, scope),
        _query((name, value) for name, value in request.query if name != "X-Amz-Signature"),
        *(f"{name}:{' '.join((request.header(name) or '').split())}" for name in signed),
        "",
        ";".join(signed),
        payload,
    ]
    # WSGI decodes the bytes of headers as Latin-1.
    return "\n".join(lines).encode("latin-1", "replace")


def _path(path: str, scope: SigningScope) -> str:
    once = unquote(path, errors=_BYTES) if scope.s3 else normalize_url_path(path)
    return _encode(once, "/")


def _query(pairs: Iterable[tuple[str, str]]) -> str:
    encoded = sorted((_encode(name), _encode(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encode(text: str, kept: str = "") -> str:
    return quote(text, safe=f"{kept}-_.~", errors=_BYTES)


def signature_of(secret: str, scope: SigningScope, canonical: bytes) -> str:
    """Return the signature of a canonical request."""
    hashed = hashlib.sha256(canonical).hexdigest()
    return sign(secret, scope, "\n".join([ALGORITHM, scope.time, scope.text, hashed]))


def sign(secret: str, scope: SigningScope, text: str) -> str:
    """Return the signature of any text in a scope."""
    key = _signing_key(secret, scope.date, scope.region, scope.service)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=1024)  # the same for all requests of a client on one day
def _signing_key(secret: str, *parts: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (*parts, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
