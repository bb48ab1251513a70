"""The spool: clean pairs on the disk for the later steps of `prepare`, with 24 bytes of keys each.

The input is read once, also from a pipe. Duplicates and splits depend on the whole corpus and are
found by the keys, with numpy in chunks. Then the spool is read again.
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

# `document` is 0 if it is unknown.
KEY = np.dtype([("source", "<u8"), ("target", "<u8"), ("document", "<u8")])

_BUFFERED = 1 << 15
_KEY_CHUNK = 1 << 17
_READ = 1 << 18


def text_hash(text: str) -> int:
    """Return 64 bits of BLAKE2b, never 0.

    Among 50 million texts, two different ones have the same hash in 1 of 15,000 corpora.
    """
    # 0 stands for an unknown document.
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") or 1


def key_of(pair: Pair) -> tuple[int, int, int]:
    """Return hashes of source, target and document (0 if unknown)."""
    document = 0 if pair.document is None else text_hash(pair.document)
    return text_hash(pair.source), text_hash(pair.target), document


def document_number(document: str | None) -> int:
    """Return the number of a document in a corpus: 62 bits of its hash, -1 if unknown."""
    # Never negative as a signed number, so -1 is free.
    return -1 if document is None else text_hash(document) >> 2


class Spooled(Protocol):
    """Clean pairs on the disk, which can be read in their order any number of times."""

    def __len__(self) -> int:
        """Return the number of pairs."""
        ...

    def pairs(self) -> Iterator[Pair]:
        """Yield all pairs."""
        ...

    def key_chunks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Yield chunks of the keys with the number of their first pair: (chunk,) of KEY."""
        ...


class Spool:
    """Clean pairs that are appended within a `with` block and can be read after it."""

    def __init__(self, folder: Path, name: str = "spool") -> None:
        self._text_path, self._key_path = folder / f"{name}.zst", folder / f"{name}.keys"
        self._keys: array.array[int] = array.array("Q")
        self._lines: list[str] = []
        self._count = 0

    @classmethod
    def written(cls, folder: Path, name: str = "spool") -> Self:
        """Open a spool that was written before. Raises OSError when it is missing."""
        spool = cls(folder, name)
        # One key a pair, all of one size.
        spool._count = spool._key_path.stat().st_size // KEY.itemsize
        return spool

    def __enter__(self) -> Self:
        self._key_file: BinaryIO = self._key_path.open("wb")
        self._text_file: BinaryIO = self._text_path.open("wb")
        # Level 1, the fastest: the text is read twice and then deleted.
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
                # Without its end the frame would look cut off.
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
        # Cleaning has removed control characters, so tab and line feed can separate the fields.
        self._lines.append(f"{pair.source}\t{pair.target}\t{document}\t{pair.joined:d}\t{origin}\n")
        self._count += 1
        if len(self._lines) >= _BUFFERED:
            self._flush()

    def pairs(self) -> Iterator[Pair]:
        """Yield all pairs in order."""
        with self._text_path.open("rb") as file:
            reader = zstandard.ZstdDecompressor().stream_reader(file, read_size=_READ)
            rest = b""
            while chunk := reader.read(_READ):
                lines = (rest + chunk).split(b"\n")
                # The last line of a chunk continues in the next chunk.
                rest = lines.pop()
                for line in lines:
                    source, target, document, joined, origin = line.decode().split("\t")
                    place = split_document(document)
                    yield Pair(source, target, *place, origin, joined == "1")

    def key_chunks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Yield chunks of the keys with the number of their first pair: (chunk,) of KEY."""
        with self._key_path.open("rb") as file:
            start = 0
            while len(chunk := np.fromfile(file, dtype=KEY, count=_KEY_CHUNK)):
                yield start, chunk
                start += len(chunk)

    def delete(self) -> None:
        """Delete the files of the spool."""
        self._text_path.unlink()
        self._key_path.unlink()

    def _flush(self) -> None:
        self._packed.write("".join(self._lines).encode())
        self._lines.clear()
        self._key_file.write(np.asarray(self._keys).astype("<u8").tobytes())
        del self._keys[:]


class SpoolChain:
    """Several spools in a row, read as one."""

    def __init__(self, spools: Sequence[Spooled]) -> None:
        self._spools = spools

    def __len__(self) -> int:
        return sum(len(spool) for spool in self._spools)

    def pairs(self) -> Iterator[Pair]:
        """Yield all pairs of the first spool, then of the next."""
        for spool in self._spools:
            yield from spool.pairs()

    def key_chunks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Yield chunks of the keys, with pair numbers over all spools: (chunk,) of KEY."""
        before = 0
        for spool in self._spools:
            for start, keys in spool.key_chunks():
                yield before + start, keys
            before += len(spool)
