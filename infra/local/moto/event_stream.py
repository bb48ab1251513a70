"""Messages of AWS's event streams, as InvokeEndpointWithResponseStream answers by.

https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream
"""

import struct
import zlib
from collections.abc import Iterator, Mapping

__all__ = ["payload_parts"]

_PART = 65_536  # bytes of one message's payload
_STRING = 7  # the type of a header's value


def payload_parts(body: bytes) -> Iterator[bytes]:
    """A body as messages; an empty one has none."""
    headers = {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    for start in range(0, len(body), _PART):
        yield _message(headers, body[start : start + _PART])


def _message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Lengths and their checksum, headers, payload, and the checksum of all."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", len(packed) + len(payload) + 16, len(packed))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(text)) + text
