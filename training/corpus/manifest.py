"""The manifest of a prepared corpus: what went in, what came out, and whether it still stands."""

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
    """Write `manifest.json` last of all files: with it the directory is complete."""
    text = json.dumps({"format": MANIFEST_FORMAT, **content}, ensure_ascii=False, indent=2) + "\n"
    (directory / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(directory: str | Path) -> dict[str, Any]:
    """The manifest of a prepared directory.

    Raises DataError when there is none, it is damaged or of another version. What its readers
    ask for is there, and of its kind.
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
    """Size and SHA-256 of every file below, by its path in the directory."""
    return {
        path.relative_to(directory).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": file_sha256(path),
        }
        for path in _files(directory)
    }


def stale(directory: Path, manifest: Mapping[str, Any]) -> str | None:
    """The first file that is missing or not what the manifest says; None when all are."""
    for name, record in manifest.get("files", {}).items():
        path = directory / name
        if not path.is_file() or path.stat().st_size != record["bytes"]:
            return str(name)
        if file_sha256(path) != record["sha256"]:
            return str(name)
    return None


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(manifest: Fields) -> None:
    """Raises ValueError for a value that is not what `prepare` writes."""
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
