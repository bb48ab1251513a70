"""Parallel token shards: written as a stream, read through memory maps.

    corpus.json                               sizes; written last
    source.lengths.bin, source.offsets.bin    one number for each pair; the same for the target
    documents.bin, positions.bin              one number for each pair
    source.00000.bin, source.00001.bin, ...   tokens of a fixed number of pairs; and the target's

Numbers are little-endian. An offset counts tokens from the start of the shard. The files are
mapped, so a corpus of 50 million pairs needs only the memory of the pages that are read.
"""

import array
import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from longspan.training.corpus.pair_corpus import IntArray, MemoryCorpus, PairCorpus
from longspan.training.errors import DataError
from longspan.training.values import Count, FileFormat, JsonDocument, parse_json

__all__ = ["Corpus", "MemoryCorpus", "PairCorpus", "ShardWriter"]

_FORMAT = 1
_DESCRIPTION = "corpus.json"
_COLUMNS = {
    "source.lengths": "<i4",
    "target.lengths": "<i4",
    "source.offsets": "<i8",
    "target.offsets": "<i8",
    "documents": "<i8",
    "positions": "<i8",
}
_TYPE_CODES = {"<u2": "H", "<u4": "I", "<i4": "i", "<i8": "q"}
_BUFFERED_PAIRS = 1 << 14


class _ShardTokens(JsonDocument):
    """The number of tokens of each shard."""

    source: list[Count]
    target: list[Count]


class _Description(JsonDocument):
    """The content of `corpus.json`."""

    tokenizer: str | None = None
    pairs: Count
    pairs_per_shard: int = Field(ge=1)
    dtype: Literal["<u2", "<u4"]
    tokens: _ShardTokens

    @model_validator(mode="after")
    def _check_shards(self) -> "_Description":
        shards = -(-self.pairs // self.pairs_per_shard)
        for side, counts in self.tokens:
            if len(counts) != shards:
                raise ValueError(f"tokens.{side}: expected {shards} shards, got {len(counts)}")
        return self


class Corpus:
    """A corpus folder, read through memory maps, also by several processes at once.

    `tokenizer` is the fingerprint of the tokenizer that made the ids, None if unknown.
    """

    def __init__(self, directory: Path, description: _Description) -> None:
        self._directory = directory
        self.tokenizer = description.tokenizer
        self._pairs = description.pairs
        self._pairs_per_shard = description.pairs_per_shard
        self._tokens = {
            side: [
                _map(directory / f"{side}.{number:05d}.bin", description.dtype, count)
                for number, count in enumerate(counts)
            ]
            for side, counts in description.tokens
        }
        columns = {
            name: _map(directory / f"{name}.bin", kind, self._pairs)
            for name, kind in _COLUMNS.items()
        }
        self._offsets = {side: columns[f"{side}.offsets"] for side in ("source", "target")}
        self.source_lengths: IntArray = columns["source.lengths"]
        self.target_lengths: IntArray = columns["target.lengths"]
        self.documents: IntArray = columns["documents"]
        self.positions: IntArray = columns["positions"]

    @classmethod
    def open(cls, directory: str | Path) -> "Corpus":
        """Map a folder that `ShardWriter` wrote.

        Raises DataError when it is incomplete, of another version, or not a corpus.
        """
        folder = Path(directory)
        path = folder / _DESCRIPTION
        try:
            description = parse_json(path.read_bytes())
            version = FileFormat.read(description).format
            if version != _FORMAT:
                raise DataError(
                    f"{path}: expected corpus format {_FORMAT}, got {version}; "
                    "run `longspan prepare` again"
                )
            return cls(folder, _Description.read(description))
        except OSError as error:
            raise DataError(
                f"{path}: expected a corpus that `longspan prepare` wrote, got: {error.strerror}; "
                "did it finish?"
            ) from error
        except ValueError as error:
            raise DataError(
                f"{path}: expected a corpus's description: {error}; run `longspan prepare` again"
            ) from error

    def __reduce__(self) -> tuple[Any, ...]:
        return Corpus.open, (self._directory,)

    def __len__(self) -> int:
        return self._pairs

    def source(self, index: int) -> IntArray:
        """Source token ids of one pair, the last one EOS: (tokens,) int64."""
        return self._read("source", index, self.source_lengths)

    def target(self, index: int) -> IntArray:
        """Target token ids of one pair, the last one EOS: (tokens,) int64."""
        return self._read("target", index, self.target_lengths)

    def _read(self, side: str, index: int, lengths: IntArray) -> IntArray:
        if not 0 <= index < self._pairs:
            raise IndexError(f"pair {index} of {self._pairs}")
        start, length = int(self._offsets[side][index]), int(lengths[index])
        tokens = self._tokens[side][index // self._pairs_per_shard][start : start + length]
        if not 0 < len(tokens) == length:
            raise DataError(
                f"{self._directory}: expected {side} tokens {start} to {start + length} of pair "
                f"{index}, got the end of its shard; copy the folder again"
            )
        return np.asarray(tokens).astype(np.int64)


class ShardWriter:
    """A writer of a corpus folder: `with ShardWriter(folder) as w: w.add(source, target)`.

    `vocabulary_size` is that of the larger side. An id takes two bytes with at most 65,536 ids,
    else four. `tokenizer` is the fingerprint of the tokenizer that makes the ids. `corpus.json` is
    written last, so a folder that has it is complete.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        vocabulary_size: int = 1 << 32,
        pairs_per_shard: int = 1 << 20,
        tokenizer: str | None = None,
    ) -> None:
        self._directory = Path(directory)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._dtype = "<u2" if vocabulary_size <= 1 << 16 else "<u4"
        self._pairs_per_shard = pairs_per_shard
        self._tokenizer = tokenizer
        self._pairs = 0
        self._tokens: dict[str, list[int]] = {"source": [], "target": []}
        self._files: dict[str, BinaryIO] = {}
        self._buffers: dict[str, array.array[int]] = {}
        for name, kind in _COLUMNS.items():
            self._open(name, self._directory / f"{name}.bin", kind)

    def add(
        self,
        source_ids: Iterable[int],
        target_ids: Iterable[int],
        document: int = -1,
        position: int = -1,
    ) -> None:
        """Append one pair; the ids end with EOS."""
        if self._pairs % self._pairs_per_shard == 0:
            self._next_shard()
        for side, ids in (("source", source_ids), ("target", target_ids)):
            buffer = self._buffers[side]
            before = len(buffer)
            buffer.extend(ids)
            length = len(buffer) - before
            self._buffers[f"{side}.lengths"].append(length)
            self._buffers[f"{side}.offsets"].append(self._tokens[side][-1])
            self._tokens[side][-1] += length
        self._buffers["documents"].append(document)
        self._buffers["positions"].append(position)
        self._pairs += 1
        if self._pairs % _BUFFERED_PAIRS == 0:
            self._flush()

    def __len__(self) -> int:
        return self._pairs

    def __enter__(self) -> Self:
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
        finally:
            for file in self._files.values():
                file.close()
        if kind is None:
            self._describe()

    def _open(self, name: str, path: Path, kind: str) -> None:
        self._files[name] = path.open("wb")
        self._buffers[name] = array.array(_TYPE_CODES[kind])

    def _next_shard(self) -> None:
        self._flush()
        for side, counts in self._tokens.items():
            if counts:
                self._files[side].close()
            self._open(side, self._directory / f"{side}.{len(counts):05d}.bin", self._dtype)
            counts.append(0)

    def _flush(self) -> None:
        for name, buffer in self._buffers.items():
            self._files[name].write(np.asarray(buffer).astype(f"<{buffer.typecode}").tobytes())
            del buffer[:]

    def _describe(self) -> None:
        description = {
            "format": _FORMAT,
            "pairs": self._pairs,
            "pairs_per_shard": self._pairs_per_shard,
            "dtype": self._dtype,
            "tokenizer": self._tokenizer,
            "tokens": self._tokens,
        }
        text = json.dumps(description, indent=2, sort_keys=True) + "\n"
        (self._directory / _DESCRIPTION).write_text(text, encoding="utf-8")


def _map(path: Path, kind: str, count: int) -> IntArray:
    expected = count * np.dtype(kind).itemsize
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(
            f"{path}: expected a part of a corpus, got: {error.strerror}; copy the folder again"
        ) from error
    if size != expected:
        raise DataError(f"{path}: expected {expected} bytes, got {size}; copy the folder again")
    if count == 0:
        return np.empty(0, dtype=kind)  # an empty file cannot be mapped
    return np.memmap(path, dtype=kind, mode="r", shape=(count,))
