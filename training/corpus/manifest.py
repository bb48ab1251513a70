"""The manifest of a prepared corpus: its inputs, its settings, and the hashes of its files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from longspan.training.errors import DataError
from longspan.training.fields import Fields

__all__ = [
    "MANIFEST",
    "MANIFEST_FORMAT",
    "file_records",
    "read_manifest",
    "stale",
    "write_manifest",
]

MANIFEST_FORMAT = 1
MANIFEST = "manifest.json"
_SIDES = ("source", "target")


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
        content = Fields.parse(path.read_bytes())
        version = content.integer("format")
        if version == MANIFEST_FORMAT:
            _check(content)
    except OSError as error:
        raise DataError(
            f"{path}: expected a directory that `longspan prepare` wrote, got: {error.strerror}; "
            "did `longspan prepare` finish?"
        ) from error
    except ValueError as error:
        raise DataError(
            f"{path}: expected a manifest, got {error}; run `longspan prepare` again "
            "with --overwrite"
        ) from error
    if version != MANIFEST_FORMAT:
        raise DataError(
            f"{path}: expected format {MANIFEST_FORMAT}, got {version}; run `longspan "
            "prepare` again with --overwrite"
        )
    return dict(content.values)


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


def _check(manifest: Fields) -> None:
    """Raise ValueError for a value that `prepare` does not write."""
    manifest.fields("settings")
    pairs, tokenizer = manifest.fields("pairs"), manifest.fields("tokenizer")
    for name in ("read", "removed", "train"):
        pairs.integer(name)
    for side in _SIDES:
        tokenizer.integer(f"{side}_size")
    for name in ("validation", "test"):
        manifest.fields("held_out").fields(name)
    for name, held_out in manifest.fields("held_out").each():
        pairs.integer(name)
        held_out.flag("drawn")
        joined = held_out.fields("joined")
        for how in joined.values:
            joined.integer(how)
    for _, removed in manifest.fields("removed").each():
        removed.integer("pairs")
        for example in removed.objects("examples"):
            example.text("origin")
    for _, record in manifest.fields("files").each():
        record.integer("bytes")
        record.text("sha256")
    _check_splits(manifest.fields("splits"))


def _check_splits(splits: Fields) -> None:
    train = splits.fields("train")
    for side in _SIDES:
        train.fields("unknown_tokens").integer(side)
    for name, bucket in train.fields("lengths").each():
        for side in _SIDES:
            bucket.fields(side).fields("tokens").number_or_null("mean")
        bucket.fields("target_per_source").number_or_null("tokens")
        for _, split in splits.each():
            split.fields("lengths").fields(name).integer("pairs")


def _files(directory: Path) -> Iterator[Path]:
    return (p for p in sorted(directory.rglob("*")) if p.is_file() and not p.name.startswith("."))
