"""RecordIO-protobuf: the data format of SageMaker's built-in seq2seq algorithm.

A file is a sequence of frames, with little-endian numbers:

    | magic 0xced7230a | flag, length | payload | zeros to a multiple of four bytes |

A payload is one `aialgs.data.Record`, here with the features `source` and `target`, each an
`Int32Tensor` (https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html). This module reads
the three message types from the wire format (https://protobuf.dev/programming-guides/encoding/),
so that no protobuf package is needed.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from longspan.training.errors import DataError
from longspan.training.tokenizer.vocabularies import BOS, EOS, PAD

__all__ = [
    "MAGIC",
    "Ids",
    "RecordPair",
    "decode_record",
    "decode_sources",
    "encode_record",
    "encode_targets",
    "read_records",
    "write_records",
]

Ids: TypeAlias = npt.NDArray[np.int32]

MAGIC = 0xCED7230A
_HEADER = struct.Struct("<II")
_MAGIC_BYTES = struct.pack("<I", MAGIC)
_LENGTH_BITS = 29  # the three bits above are dmlc's continuation flag
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)

# Wire types of protobuf, and the field numbers of record.proto.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FEATURES, _KEY, _VALUE = 1, 1, 2
_TENSORS = {2: "float32_tensor", 3: "float64_tensor", 7: "int32_tensor", 9: "bytes"}
_INT32_TENSOR, _TENSOR_VALUES, _TENSOR_KEYS = 7, 1, 2


class RecordPair(NamedTuple):
    """One sentence pair as token ids."""

    source: Ids  # (source,)
    target: Ids  # (target,)
    origin: str  # place of the record, such as `file: byte 123`


class _MalformedError(ValueError):
    """A payload that is not a Record with the two features."""


def read_records(path: Path) -> Iterator[RecordPair]:
    """Yield the pairs of one file, plain or gzip.

    Raises DataError for a damaged frame, naming the file and the byte where it starts, for gzip in
    the decompressed stream.
    """
    with _open(path) as stream:
        for start, payload in _frames(stream, path):
            origin = f"{path}: byte {start}"
            try:
                yield RecordPair(*decode_record(payload), origin)
            except _MalformedError as error:
                raise DataError(
                    f"{origin}: expected a protobuf Record with int32_tensor features "
                    f"source and target, got {error}"
                ) from None


def write_records(path: Path, pairs: Iterable[tuple[Iterable[int], Iterable[int]]]) -> int:
    """Write pairs of token ids as one file, and return their number.

    Raises DataError for a pair that is too large for one record.
    """
    count = 0
    with path.open("wb") as stream:
        for source, target in pairs:
            payload = encode_record(source, target)
            if len(payload) >> _LENGTH_BITS:
                raise DataError(
                    f"{path}: expected a record of at most {(1 << _LENGTH_BITS) - 1} bytes, got "
                    f"{len(payload)} in record {count}; split the sentence pair"
                )
            stream.write(_frame(payload))
            count += 1
    return count


def decode_sources(content: bytes, name: str) -> Iterator[list[int]]:
    """Yield the ids of the feature `source` of each record; other features are ignored.

    Sentence marks and padding that a client added are left out. Raises DataError for damaged
    content, which begins with `name`.
    """
    for number, (_, payload) in enumerate(_frames(io.BytesIO(content), name), 1):
        try:
            ids: list[int] = _tensor(_features(payload), "source").tolist()
        except _MalformedError as error:
            raise DataError(
                f"{name}: record {number}: expected a protobuf Record with an int32_tensor feature "
                f"source, got {error}; encode it as the built-in algorithm's clients do"
            ) from None
        yield [token for token in ids if token not in (PAD, BOS, EOS)]


def encode_targets(rows: Iterable[Iterable[int]]) -> bytes:
    """Encode one record for each row, with the row's ids as the feature `target`."""
    return b"".join(_frame(_feature(b"target", row)) for row in rows)


def encode_record(source: Iterable[int], target: Iterable[int]) -> bytes:
    """Encode a Record message with two dense Int32Tensor features."""
    return _feature(b"source", source) + _feature(b"target", target)


def decode_record(payload: bytes) -> tuple[Ids, Ids]:
    """Decode source and target ids of one Record. Raises ValueError for another message."""
    features = _features(payload)
    return _tensor(features, "source"), _tensor(features, "target")


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        if not zipped:
            yield stream
            return
        try:
            with gzip.open(stream) as unzipped:
                yield unzipped  # type: ignore[misc]  # a GzipFile reads like any binary file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{path}: expected gzip data, got a damaged file: {error}; copy it again"
            ) from None


def _frame(payload: bytes) -> bytes:
    return _HEADER.pack(MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)


def _frames(stream: BinaryIO, path: Path | str) -> Iterator[tuple[int, bytes]]:
    """Yield each payload with the byte where it starts; join payloads that were split."""
    start = offset = 0
    parts: list[bytes] = []
    while header := stream.read(_HEADER.size):
        if len(header) < _HEADER.size:
            raise DataError(
                f"{path}: byte {offset}: expected a whole record, got the end of the file inside "
                "its header; copy the file again"
            )
        magic, word = _HEADER.unpack(header)
        flag, length = word >> _LENGTH_BITS, word & ((1 << _LENGTH_BITS) - 1)
        if magic != MAGIC:
            raise DataError(
                f"{path}: byte {offset}: expected RecordIO's magic number 0x{MAGIC:08x}, "
                f"got 0x{magic:08x}; is this a whole RecordIO-protobuf file?"
            )
        expected = (_MIDDLE, _LAST) if parts else (_WHOLE, _FIRST)
        if flag not in expected:
            raise DataError(
                f"{path}: byte {offset}: expected continuation flag "
                f"{expected[0]} or {expected[1]}, got {flag}; copy the file again"
            )
        padded = length + -length % 4
        payload = stream.read(padded)
        # The zeros behind the last payload may be missing.
        if len(payload) < length:
            raise DataError(
                f"{path}: byte {offset}: expected a record of {length} bytes, "
                f"got {len(payload)} at the end of the file; copy it again"
            )
        if not parts:
            start = offset
        parts.append(payload[:length])
        offset += _HEADER.size + padded
        if flag in (_WHOLE, _LAST):
            # dmlc-core splits a payload at aligned magic numbers inside it, and drops these.
            yield start, _MAGIC_BYTES.join(parts)
            parts = []
    if parts:
        raise DataError(
            f"{path}: byte {start}: expected all parts of a record, got the end of the file; copy "
            "it again"
        )


def _features(payload: bytes) -> dict[bytes, bytes]:
    """Return the Value message of each feature of a Record, by the feature's name."""
    features: dict[bytes, bytes] = {}
    for number, value in _fields(payload):
        if number == _FEATURES and isinstance(value, bytes):
            entry = dict(_fields(value))
            key, message = entry.get(_KEY, b""), entry.get(_VALUE, b"")
            if isinstance(key, bytes) and isinstance(message, bytes):
                features[key] = message
    return features


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield field number and value of a message; a value is bytes or an unsigned integer."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == _BYTES:
            size, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise _MalformedError(f"protobuf wire type {kind}")
        if position + size > len(message):
            raise _MalformedError("a message that ends inside a field")
        yield number, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Read an unsigned integer; return it and the position after it."""
    value = 0
    for index, byte in enumerate(message[position : position + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + index + 1
    raise _MalformedError("a message with an endless integer")


def _tensor(features: dict[bytes, bytes], name: str) -> Ids:
    if name.encode() not in features:
        there = ", ".join(sorted(key.decode(errors="replace") for key in features))
        raise _MalformedError(f"no feature {name} (features: {there or 'none'})")
    values: list[Ids] = []
    for number, tensor in _fields(features[name.encode()]):
        if number != _INT32_TENSOR or not isinstance(tensor, bytes):
            raise _MalformedError(f"{name} as {_TENSORS.get(number, f'field {number}')}")
        for field, value in _fields(tensor):
            if field == _TENSOR_KEYS:
                raise _MalformedError(f"{name} as a sparse tensor; write it dense")
            if field == _TENSOR_VALUES:
                # Writers may store repeated numbers one by one, or packed in several runs.
                values.append(_unpack(value) if isinstance(value, bytes) else _narrow([value]))
    return np.concatenate(values) if values else np.zeros(0, np.int32)


def _unpack(packed: bytes) -> Ids:
    """Read a packed run of varints as int32, with vector operations."""
    raw = np.frombuffer(packed, np.uint8)
    last = raw < 0x80
    if last.all():
        return raw.astype(np.int32)
    if not last[-1]:
        raise _MalformedError("a tensor that ends inside a number")
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if sizes.max() > 10:
        raise _MalformedError("a tensor with an endless integer")
    shifts = 7 * (np.arange(len(raw)) - np.repeat(starts, sizes)).astype(np.uint64)
    # Each byte holds 7 bits of its number, lowest first.
    bits = (raw & 0x7F).astype(np.uint64) << shifts
    return _narrow(np.bitwise_or.reduceat(bits, starts))


def _narrow(values: npt.ArrayLike) -> Ids:
    """Read unsigned 64-bit integers as int32 by their low 32 bits, since writers extend signs."""
    return np.asarray(values, np.uint64).astype(np.uint32).view(np.int32)


def _feature(name: bytes, ids: Iterable[int]) -> bytes:
    packed = b"".join(_encode_varint(int(value)) for value in ids)
    tensor = _delimited(_TENSOR_VALUES, packed) if packed else b""
    entry = _delimited(_KEY, name) + _delimited(_VALUE, _delimited(_INT32_TENSOR, tensor))
    return _delimited(_FEATURES, entry)


def _delimited(number: int, value: bytes) -> bytes:
    return _encode_varint(number << 3 | _BYTES) + _encode_varint(len(value)) + value


def _encode_varint(value: int) -> bytes:
    """Encode an integer in bytes of seven bits, lowest first; a negative one as 64 bits."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
