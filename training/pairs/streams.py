"""Streams of input files: counted, hashed and split into lines.

At most a chunk and one line of a file are in memory.
"""

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from longspan.training.errors import DataError
from longspan.training.pairs.compression import is_compressed

__all__ = [
    "STANDARD_INPUT",
    "CountedFile",
    "InputRecord",
    "head_and_rest",
    "lines",
    "lines_but_blank_end",
    "name_of",
    "raw_file",
    "seekable",
]

STANDARD_INPUT = "-"

_CHUNK = 1 << 18
_HEAD = 1 << 16
_LONGEST_LINE = 1 << 26


@dataclass(frozen=True)
class InputRecord:
    """One input file, for the manifest."""

    name: str  # without folders
    bytes: int
    sha256: str


class CountedFile:
    """A binary file that is read once from start to end, and counted and hashed meanwhile."""

    def __init__(self, name: str, file: BinaryIO, on_bytes: Callable[[int], None]) -> None:
        self._name, self._file, self._on_bytes = name, file, on_bytes
        self._hash = hashlib.sha256()
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes, as the `read` of a file."""
        data = self._file.read(size)
        self._hash.update(data)
        self._count += len(data)
        self._on_bytes(len(data))
        return data

    def close(self) -> None:
        """Close the file without reading its rest."""
        self._file.close()

    def finish(self) -> InputRecord:
        """Read the rest, close the file, and return its record."""
        # The hash is that of the whole file, also where a reader has stopped before its end.
        while self.read(_CHUNK):
            pass
        self.close()
        return InputRecord(Path(self._name).name, self._count, self._hash.hexdigest())


def name_of(path: str | Path) -> str:
    """Return the name of an input in messages."""
    return "stdin" if str(path) == STANDARD_INPUT else str(path)


def raw_file(path: str | Path, on_bytes: Callable[[int], None]) -> CountedFile:
    """Open a file, or standard input for `-`. Raises DataError when it cannot be opened."""
    if str(path) == STANDARD_INPUT:
        return CountedFile("stdin", sys.stdin.buffer, on_bytes)
    try:
        return CountedFile(str(path), Path(path).open("rb"), on_bytes)
    except OSError as error:
        raise DataError(
            f"{path}: expected a file to read, got: {error.strerror}; check its name"
        ) from error


def head_and_rest(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return at least the first 64 kB, or the whole file, and an iterator over all chunks."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= _HEAD:
            break
    return head, _then(head, chunks)


@contextmanager
def seekable(path: str, name: str, chunks: Iterator[bytes]) -> Iterator[str | BinaryIO]:
    """Yield the path of a plain file, or a temporary file with the content of a compressed one.

    This is for formats that are not read from start to end. `chunks` are those of `decompressed`.
    Raises DataError when the disk has no room for the content.
    """
    if path != STANDARD_INPUT and Path(path).is_file() and not is_compressed(Path(path)):
        yield path
        return
    # The file has no name, so nothing is left when the process is killed.
    with tempfile.TemporaryFile() as content:
        try:
            for chunk in chunks:
                content.write(chunk)
            content.flush()
        except OSError as error:
            raise DataError(
                f"{name}: expected room to unpack it in {tempfile.gettempdir()}, got: "
                f"{error.strerror}; free some, or name another folder in TMPDIR"
            ) from error
        content.seek(0)
        yield content


def lines(chunks: Iterator[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    r"""Yield lines with their numbers from 1, without `\n`, `\r\n` and a byte order mark.

    Raises DataError for a line over 64 MB, which cannot be a sentence.
    """
    number, rest = 0, b""
    for chunk in _without_mark(chunks):
        parts = (rest + chunk).split(b"\n")
        # The last line of a chunk continues in the next chunk.
        rest = parts.pop()
        for line in parts:
            number += 1
            yield number, line[:-1] if line.endswith(b"\r") else line
        if len(rest) > _LONGEST_LINE:
            raise DataError(
                f"{name}:{number + 1}: expected lines of text, got one over 64 MB; "
                "is this the right file and format?"
            )
    if rest:
        yield number + 1, rest[:-1] if rest.endswith(b"\r") else rest


def lines_but_blank_end(chunks: Iterator[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield what `lines` yields, without blank lines at the end, which are no rows."""
    blank = 0
    for number, line in lines(chunks, name):
        if not line or (line.startswith(b" ") and not line.strip(b" ")):
            blank += 1
            continue
        if blank:
            yield from ((past, b"") for past in range(number - blank, number))
            blank = 0
        yield number, line


def _then(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from chunks


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = True
    for chunk in chunks:
        yield chunk.removeprefix(b"\xef\xbb\xbf") if first else chunk
        first = False
