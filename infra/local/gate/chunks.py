"""Bodies that are uploaded to S3 in chunks, each with a signature of its own.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

import hashlib
import hmac
from dataclasses import dataclass

from longspan.infra.local.gate.refusals import WRONG_SIGNATURE, RequestRefused
from longspan.infra.local.gate.signature import ALGORITHM, EMPTY_HASH, SigningScope, sign

__all__ = ["CHUNKS", "verify_chunks"]

CHUNKS = f"STREAMING-{ALGORITHM}-PAYLOAD"  # the hash of such a body; also with `-TRAILER`
_END = b"\r\n"


@dataclass(frozen=True)
class _Chunk:
    content: bytes
    signature: str


def verify_chunks(body: bytes, secret: str, scope: SigningScope, seed: str) -> None:
    """Check the signatures of all chunks and of the trailer; `seed` is the request's signature.

    Raises RequestRefused.
    """
    previous = seed
    chunks, rest = _chunks(body)
    for chunk in chunks:
        hashed = hashlib.sha256(chunk.content).hexdigest()
        expected = _sign("PAYLOAD", secret, scope, previous, EMPTY_HASH, hashed)
        _compare(expected, chunk.signature)
        previous = expected
    lines = [line for line in rest.split(_END) if line]
    if lines:
        name, _, signature = lines.pop().partition(b":")
        if name.lower() != b"x-amz-trailer-signature":
            raise _wrong()
        signed = b"".join(line + b"\n" for line in lines)
        hashed = hashlib.sha256(signed).hexdigest()
        _compare(
            _sign("TRAILER", secret, scope, previous, hashed), signature.decode("latin-1").strip()
        )


def _sign(kind: str, secret: str, scope: SigningScope, *parts: str) -> str:
    return sign(secret, scope, "\n".join([f"{ALGORITHM}-{kind}", scope.time, scope.text, *parts]))


def _compare(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise _wrong()


def _wrong() -> RequestRefused:
    return RequestRefused(WRONG_SIGNATURE, "The signature of a chunk of the body does not match.")


def _chunks(body: bytes) -> tuple[list[_Chunk], bytes]:
    """Return the chunks, up to the empty last one, and the rest. Raises RequestRefused."""
    chunks: list[_Chunk] = []
    start = 0
    while not chunks or chunks[-1].content:
        end = body.find(_END, start)
        size, _, extension = body[start : max(end, start)].partition(b";")
        try:
            length = int(size, 16)
        except ValueError:
            raise _wrong() from None
        begin = end + len(_END)
        content = body[begin : begin + length]
        _, _, signature = extension.partition(b"chunk-signature=")
        if end < 0 or length < 0 or len(content) != length:
            raise _wrong()
        chunks.append(_Chunk(content, signature.decode("latin-1")))
        start = begin + length + (len(_END) if length else 0)
    return chunks, body[start:]
