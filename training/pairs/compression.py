"""Compressed files, found by their first bytes and unpacked as streams."""

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import zstandard

from longspan.training.errors import DataError

__all__ = ["Readable", "decompressed", "is_compressed"]

_CHUNK = 1 << 18
# A small step bounds the memory that a hostile zstd frame can take at once.
_ZSTD_STEP = 1 << 13
_START = 8
_GZIP, _XZ, _ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
# `BZh`, a digit, and the mark of a block or of an empty file.
_BZIP2 = re.compile(rb"BZh[1-9](1AY&|\x17rE8)")


class Readable(Protocol):
    """A binary file that is read from start to end."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        ...


def decompressed(file: Readable, name: str) -> Iterator[bytes]:
    """Yield chunks of a file's content: plain, gzip, bzip2, xz or zstd by its first bytes.

    Raises DataError when the compressed data is damaged or ends early.
    """
    start = file.read(_START)
    source = io.BufferedReader(_Prefixed(start, file), _CHUNK)
    try:
        if start.startswith(_GZIP):
            with gzip.GzipFile(fileobj=source, mode="rb") as unpacked:
                yield from _chunks(unpacked)
        elif _BZIP2.match(start):
            yield from _bzip2_chunks(source)
        elif start.startswith(_XZ):
            with lzma.LZMAFile(source) as unpacked:
                yield from _chunks(unpacked)
        elif start.startswith(_ZSTD):
            yield from _zstd_chunks(source)
        else:
            yield from _chunks(source)
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
        raise DataError(
            f"{name}: expected whole compressed data, got damaged or cut-off data ({error}); "
            "fetch the file again"
        ) from error


def is_compressed(path: Path) -> bool:
    """Return whether a file is compressed as a whole."""
    with path.open("rb") as file:
        start = file.read(_START)
    return start.startswith((_GZIP, _XZ, _ZSTD)) or _BZIP2.match(start) is not None


class _Prefixed(io.RawIOBase):
    """A file with bytes in front of it that were read already."""

    def __init__(self, start: bytes, file: Readable) -> None:
        super().__init__()
        self._start, self._file = start, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._start or self._file.read(len(buffer))
        self._start = data[len(buffer) :]
        data = data[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)


def _chunks(file: BinaryIO | gzip.GzipFile | lzma.LZMAFile) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _bzip2_chunks(source: BinaryIO) -> Iterator[bytes]:
    with bz2.BZ2File(source) as unpacked:
        while True:
            try:
                chunk = unpacked.read(_CHUNK)
            except OSError as error:
                # Damage, which zlib and lzma have errors of their own for.
                raise EOFError(str(error)) from error
            if not chunk:
                return
            yield chunk


def _zstd_chunks(source: BinaryIO) -> Iterator[bytes]:
    # The stream reader of zstandard does not notice a file that is cut off.
    decoder = zstandard.ZstdDecompressor().decompressobj()
    started = False
    while data := source.read(_ZSTD_STEP):
        while data:
            started = True
            if chunk := decoder.decompress(data):
                yield chunk
            data = b""
            # A file may have several frames; the bytes behind one begin the next.
            if decoder.eof:
                data = decoder.unused_data
                decoder = zstandard.ZstdDecompressor().decompressobj()
                started = False
    if started:
        raise EOFError("the last zstd frame has no end")
