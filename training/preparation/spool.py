"""The spool: clean pairs on the disk between the passes of `prepare`, and 24 bytes of keys each.

The input is read once, also from a pipe; what must be known of the whole corpus (duplicates,
splits) is decided on the keys, with numpy in chunks, and then the spool is read again.
"""

import array
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

import numpy as np
import numpy.typing as npt
import zstandard

from longspan.training.pairs.pairs import Pair, join_document, split_document

__all__ = ["KEY", "Spool", "SpoolChain", "Spooled", "document_number", "key_of", "text_hash"]

# `document` is 0 where it is unknown.
KEY = np.dtype([("source", "<u8"), ("target", "<u8"), ("document", "<u8")])

_BUFFERED = 1 << 15
_KEY_CHUNK = 1 << 17
_READ = 1 << 18


def text_hash(text: str) -> int:
    """64 bits of BLAKE2b, never 0: any two of 50 million texts meet in 1 of 15,000 corpora."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") or 1


def key_of(pair: Pair) -> tuple[int, int, int]:
    """Hashes of source, target and document (0: unknown)."""
    document = 0 if pair.document is None else text_hash(pair.document)
    return text_hash(pair.source), text_hash(pair.target), document


def document_number(document: str | None) -> int:
    """A number for a corpus's `documents` column: 62 bits of its hash, -1 where unknown."""
    return -1 if document is None else text_hash(document) >> 2


class Spooled(Protocol):
    """Clean pairs on the disk, to be read in their order as often as needed."""

    def __len__(self) -> int:
        """How many."""
        ...

    def pairs(self) -> Iterator[Pair]:
        """Every pair."""
        ...

    def key_chunks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Chunks of the keys with the number of their first pair: (chunk,) of KEY."""
        ...


class Spool:
    """Clean pairs in order, appended within `with`, then read as often as needed."""

    def __init__(self, folder: Path, name: str = "spool") -> None:
        self._text_path, self._key_path = folder / f"{name}.zst", folder / f"{name}.keys"
        self._keys: array.array[int] = array.array("Q")
        self._lines: list[str] = []
        self._count = 0

    @classmethod
    def written(cls, folder: Path, name: str = "spool") -> Self:
        """One that was written whole before. Raises OSError when it is not there."""
        spool = cls(folder, name)
        spool._count = spool._key_path.stat().st_size // KEY.itemsize
        return spool

    def __enter__(self) -> Self:
        self._key_file: BinaryIO = self._key_path.open("wb")
        self._text_file: BinaryIO = self._text_path.open("wb")
        self._packed: Any = zstandard.ZstdCompressor(level=1).stream_writer(self._text_file)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
                self._packed.flush(zstandard.FLUSH_FRAME)
        finally:
            self._key_file.close()
            self._text_file.close()

    def __len__(self) -> int:
        return self._count

    def add(self, pair: Pair) -> None:
        """Append a pair whose texts hold no tab and no line break, as cleaning ensures."""
        self._keys.extend(key_of(pair))
        origin = pair.origin.replace("\t", " ").replace("\n", " ")
        document = join_document(pair.document, pair.position)
        self._lines.append(f"{pair.source}\t{pair.target}\t{document}\t{pair.joined:d}\t{origin}\n")
        self._count += 1
        if len(self._lines) >= _BUFFERED:
            self._flush()

    def pairs(self) -> Iterator[Pair]:
        """Every pair in order."""
        with self._text_path.open("rb") as file:
            reader = zstandard.ZstdDecompressor().stream_reader(file, read_size=_READ)
            rest = b""
            while chunk := reader.read(_READ):
                lines = (rest + chunk).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    source, target, document, joined, origin = line.decode().split("\t")
                    place = split_document(document)
                    yield Pair(source, target, *place, origin, joined == "1")

    def key_chunks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Chunks of the keys with the number of their first pair: (chunk,) of KEY."""
        with self._key_path.open("rb") as file:
            start = 0
            while len(chunk := np.fromfile(file, dtype=KEY, count=_KEY_CHUNK)):
                yield start, chunk
                start += len(chunk)

    def delete(self) -> None:
        """Remove its files."""
        self._text_path.unlink()
        self._key_path.unlink()

    def _flush(self) -> None:
        self._packed.write("".join(self._lines).encode())
        self._lines.clear()
        self._key_file.write(np.asarray(self._keys).astype("<u8").tobytes())
        del self._keys[:]


class SpoolChain:
    """Several spools, one after the other, as one."""

    def __init__(self, spools: Sequence[Spooled]) -> None:
        self._spools = spools

    def __len__(self) -> int:
        return sum(len(spool) for spool in self._spools)

    def pairs(self) -> Iterator[Pair]:
        """Every pair of the first one, then of the next."""
        for spool in self._spools:
            yield from spool.pairs()

    def key_chunks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Chunks of the keys, numbered through: (chunk,) of KEY."""
        before = 0
        for spool in self._spools:
            for start, keys in spool.key_chunks():
                yield before + start, keys
            before += len(spool)
