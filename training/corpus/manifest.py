"""The manifest of a prepared corpus: its inputs, its settings, and the hashes of its files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import model_validator

from longspan.training.errors import DataError
from longspan.training.values import Count, FileFormat, JsonDocument, parse_json, require_names

__all__ = [
    "MANIFEST",
    "MANIFEST_FORMAT",
    "FileRecord",
    "RemovedPairs",
    "file_records",
    "read_manifest",
    "stale",
    "write_manifest",
]

MANIFEST_FORMAT = 1
MANIFEST = "manifest.json"


class FileRecord(JsonDocument):
    """Size and hash of one file."""

    bytes: Count
    sha256: str


class _Example(JsonDocument):
    origin: str


class RemovedPairs(JsonDocument):
    """The pairs that one rule removed, with the first few as examples."""

    pairs: Count
    examples: list[_Example]


class _HeldOutSplit(JsonDocument):
    drawn: bool  # from the corpus, else given in files of its own
    joined: dict[str, Count]


class _VocabularySizes(JsonDocument):
    source_size: Count
    target_size: Count


class _SideCounts(JsonDocument):
    source: Count
    target: Count


class _TokenMean(JsonDocument):
    mean: float | None


class _SideLengths(JsonDocument):
    tokens: _TokenMean


class _LengthRatio(JsonDocument):
    tokens: float | None


class _LengthBucket(JsonDocument):
    pairs: Count
    source: _SideLengths
    target: _SideLengths
    target_per_source: _LengthRatio


class _SplitFigures(JsonDocument):
    unknown_tokens: _SideCounts
    lengths: dict[str, _LengthBucket]


class _Manifest(JsonDocument):
    """The values of `manifest.json` that its readers use."""

    settings: dict[str, Any]
    pairs: dict[str, Count]
    tokenizer: _VocabularySizes
    held_out: dict[str, _HeldOutSplit]
    removed: dict[str, RemovedPairs]
    files: dict[str, FileRecord]
    splits: dict[str, _SplitFigures]

    @model_validator(mode="after")
    def _check_names(self) -> "_Manifest":
        require_names("held_out", self.held_out, ("validation", "test"))
        require_names("pairs", self.pairs, ("read", "removed", "train", *self.held_out))
        require_names("splits", self.splits, ("train",))
        for name, split in self.splits.items():
            buckets = self.splits["train"].lengths
            require_names(f"splits.{name}.lengths", split.lengths, buckets)
        return self


def write_manifest(directory: Path, content: Mapping[str, Any]) -> None:
    """Write `manifest.json`. It is the last file, so a directory that has it is complete."""
    text = json.dumps({"format": MANIFEST_FORMAT, **content}, ensure_ascii=False, indent=2) + "\n"
    (directory / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(directory: str | Path) -> dict[str, Any]:
    """Read the manifest of a prepared directory, with all values that its readers use checked.

    Raises DataError when it is missing, damaged or of another version.
    """
    path = Path(directory) / MANIFEST
    try:
        content = parse_json(path.read_bytes())
        version = FileFormat.read(content).format
        if version == MANIFEST_FORMAT:
            _Manifest.read(content)
    except OSError as error:
        raise DataError(
            f"{path}: expected a directory that `longspan prepare` wrote, got: {error.strerror}; "
            "did `longspan prepare` finish?"
        ) from error
    except ValueError as error:
        raise DataError(
            f"{path}: expected a manifest: {error}; run `longspan prepare` again with --overwrite"
        ) from error
    if version != MANIFEST_FORMAT:
        raise DataError(
            f"{path}: expected format {MANIFEST_FORMAT}, got {version}; run `longspan "
            "prepare` again with --overwrite"
        )
    return dict(content)


def file_records(directory: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of every file below a directory, by its path there."""
    return {
        path.relative_to(directory).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": file_sha256(path),
        }
        for path in _files(directory)
    }


def stale(directory: Path, manifest: Mapping[str, Any]) -> str | None:
    """Return the first file that is missing or differs from the manifest; None if all are equal."""
    for name, record in manifest.get("files", {}).items():
        path = directory / name
        if not path.is_file() or path.stat().st_size != record["bytes"]:
            return str(name)
        if file_sha256(path) != record["sha256"]:
            return str(name)
    return None


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, which is read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    return (p for p in sorted(directory.rglob("*")) if p.is_file() and not p.name.startswith("."))
