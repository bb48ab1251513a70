"""Prepare unless the directory was made from the same input with the same settings."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longspan.training.corpus.manifest import MANIFEST, file_sha256, read_manifest, stale
from longspan.training.errors import DataError
from longspan.training.files import is_occupied
from longspan.training.lengths import LENGTH_RULE
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.pairing import pair_up
from longspan.training.pairs.streams import STANDARD_INPUT, InputRecord
from longspan.training.preparation.dataset_splits import with_splits
from longspan.training.preparation.prepare import HELD_OUT_NAMES, prepare
from longspan.training.preparation.settings import PrepareSettings
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["prepare_once", "refuse_foreign"]


def prepare_once(
    inputs: Sequence[str],
    directory: Path,
    settings: PrepareSettings,
    held_out: Mapping[int, str],
    *,
    overwrite: bool,
    tokenizer: Tokenizer | None = None,
) -> tuple[dict[str, Any], bool]:
    """Prepare if needed; return the manifest, and whether the directory was written now.

    Raises DataError when the directory holds another corpus and `overwrite` is false, and when it
    holds something that `prepare` did not write.
    """
    inputs, held_out = with_splits(inputs, held_out)
    if is_occupied(directory):
        refuse_foreign(directory)
        if not overwrite:
            return _unchanged(inputs, directory, settings, held_out, tokenizer), False
    return prepare(inputs, directory, settings, held_out, tokenizer=tokenizer), True


def refuse_foreign(directory: Path) -> None:
    """Raise DataError when overwriting would delete what `prepare` did not write."""
    if is_occupied(directory) and not (directory / MANIFEST).is_file():
        raise DataError(
            f"{directory}: expected a prepared corpus to overwrite, got something else; "
            "give another directory"
        )


def _unchanged(
    inputs: Sequence[str],
    directory: Path,
    settings: PrepareSettings,
    held_out: Mapping[int, str],
    tokenizer: Tokenizer | None,
) -> dict[str, Any]:
    manifest = read_manifest(directory)
    difference = _difference(manifest, inputs, settings, held_out)
    if difference is None and not _same_tokenizer(manifest, tokenizer):
        difference = "its tokenizer differs"
    if difference is None:
        # Last, because it reads and hashes every file.
        broken = stale(directory, manifest)
        difference = None if broken is None else f"its {broken} is missing or changed"
    if difference is not None:
        raise DataError(
            f"{directory}: expected a corpus from the same input and settings, got another one: "
            f"{difference}; give --overwrite to replace it, or another --out"
        )
    return manifest


def _difference(
    manifest: Mapping[str, Any],
    inputs: Sequence[str],
    settings: PrepareSettings,
    held_out: Mapping[int, str],
) -> str | None:
    # Through JSON as the manifest was, where tuples and lists are the same.
    wanted = json.loads(json.dumps(settings.to_json()))
    for name, value in wanted.items():
        if manifest["settings"].get(name) != value:
            return f"its {name} settings differ"
    if manifest.get("length") != LENGTH_RULE:
        return "its lengths were counted by another rule"
    if STANDARD_INPUT in [*inputs, *held_out.values()]:
        return "standard input cannot be compared with its input"
    if _records(inputs, settings.format, settings.columns) != manifest.get("inputs"):
        return "it was made from another input"
    for split, name in HELD_OUT_NAMES.items():
        record = manifest["held_out"][name]
        given = [held_out[split]] if split in held_out else []
        if _records(given, None, settings.columns) != record.get("inputs", []):
            return f"its {name} split was made from another input"
    return None


def _same_tokenizer(manifest: Mapping[str, Any], tokenizer: Tokenizer | None) -> bool:
    """Return whether the tokenizer of a corpus is the given one, or was trained on the corpus."""
    own = manifest["tokenizer"]
    if tokenizer is None:
        return not own.get("given", False)
    return bool(own["fingerprint"] == tokenizer.fingerprint)


def _records(paths: Sequence[str], format: str | None, columns: Columns) -> list[dict[str, Any]]:
    """Return name, size and hash of each file, in the order in which they are read."""
    if not paths:
        return []
    groups = pair_up(paths, format, columns.source_language, columns.target_language)
    records = []
    for path in (Path(path) for group in groups for path in group):
        try:
            record = InputRecord(path.name, path.stat().st_size, file_sha256(path))
        except OSError as error:
            raise DataError(
                f"{path}: expected a file to read, got: {error.strerror}; check its name"
            ) from error
        records.append(dataclasses.asdict(record))
    return records
