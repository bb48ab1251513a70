"""Parts of a large corpus that several machines read and clean at the same time.

Each machine collects its share of the files into a part: a spool with its keys, the rows that
could not be read, and a description, which is written last. All parts together equal what one
machine collects from the same files in the same order, so the prepared corpus is the same.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from longspan.training.corpus.manifest import FileRecord, RemovedPairs
from longspan.training.errors import DataError
from longspan.training.pairs.streams import InputRecord
from longspan.training.preparation.cleaning import RULES, Removals
from longspan.training.preparation.collection import (
    Collection,
    Rejections,
    collect,
)
from longspan.training.preparation.settings import CollectSettings
from longspan.training.preparation.spool import Spool, SpoolChain
from longspan.training.values import Count, FileFormat, JsonDocument, parse_json, require_names

__all__ = ["PART", "CollectedParts", "read_parts", "write_part"]

PART = "part.json"
REJECTED = "rejected.tsv"
_FORMAT = 1


class _InputFile(FileRecord):
    name: str


class _Part(JsonDocument):
    """The content of `part.json`."""

    settings: dict[str, Any]
    rows: Count = Field(alias="read")
    pairs: Count
    removed: dict[str, RemovedPairs]
    inputs: list[_InputFile]

    @model_validator(mode="after")
    def _check_rules(self) -> "_Part":
        require_names("removed", self.removed, RULES)
        return self


@dataclass(frozen=True)
class CollectedParts:
    """Several parts as one collection."""

    spool: SpoolChain
    removals: Removals
    inputs: Sequence[InputRecord]
    read: int  # rows
    rejected: tuple[Path, ...]  # files of rows that could not be read


def write_part(
    inputs: Sequence[str],
    directory: Path,
    settings: CollectSettings,
    notify: Callable[[str], None],
) -> int:
    """Collect the files into a part, and return the number of its pairs.

    Without files the part is empty. Raises DataError as `read_pairs` does.
    """
    directory.mkdir(parents=True)
    with Rejections(directory / REJECTED, notify) as rejections:
        collected = _collect(inputs, settings, Spool(directory), rejections)
    description = {
        "format": _FORMAT,
        "settings": settings.to_json(),
        "read": collected.read,
        "pairs": len(collected.spool),
        "removed": collected.removals.to_json(),
        "inputs": [dataclasses.asdict(record) for record in collected.inputs],
    }
    text = json.dumps(description, ensure_ascii=False, indent=2)
    # Last: a part without its description is not complete.
    (directory / PART).write_text(text, encoding="utf-8")
    return len(collected.spool)


def read_parts(directory: Path, settings: CollectSettings) -> CollectedParts:
    """Read all parts below a directory in the order of their names.

    Raises DataError without parts, and for a part that is incomplete or was collected with other
    settings.
    """
    # By name, as the files were shared out, so that the pairs are in the order of the input.
    folders = sorted(path for path in directory.iterdir() if path.is_dir())
    if not folders:
        raise DataError(
            f"{directory}: expected parts of a corpus, got none; run the job collect first"
        )
    removals, inputs, read = Removals(), list[InputRecord](), 0
    spools = []
    for folder in folders:
        part = _description(folder, settings)
        spool = Spool.written(folder)
        if len(spool) != part["pairs"]:
            raise DataError(
                f"{folder}: expected {part['pairs']:,} pairs, got {len(spool):,}; collect it again"
            )
        spools.append(spool)
        removals.add_counted(part["removed"])
        inputs += [InputRecord(r["name"], r["bytes"], r["sha256"]) for r in part["inputs"]]
        read += part["read"]
    rejected = tuple(folder / REJECTED for folder in folders)
    return CollectedParts(SpoolChain(spools), removals, inputs, read, rejected)


def _collect(
    inputs: Sequence[str], settings: CollectSettings, spool: Spool, rejections: Rejections
) -> Collection:
    if inputs:
        return collect(inputs, settings, spool, rejections)
    with spool:
        pass  # writes files without a pair
    return CollectedParts(SpoolChain([spool]), Removals(), (), 0, ())


def _description(folder: Path, settings: CollectSettings) -> dict[str, Any]:
    path = folder / PART
    try:
        part = parse_json(path.read_bytes())
        version = FileFormat.read(part).format
        if version == _FORMAT:
            _Part.read(part)
    except OSError as error:
        raise DataError(
            f"{folder}: expected a complete part of a corpus, got: {error.strerror}; collect it "
            "again"
        ) from None
    except ValueError as error:
        raise DataError(
            f"{path}: expected a part's description: {error}; collect it again"
        ) from None
    if version != _FORMAT:
        raise DataError(f"{folder}: expected format {_FORMAT}, got {version}; collect it again")
    wanted = settings.to_json()
    for name, value in part["settings"].items():
        if value != wanted.get(name):
            raise DataError(
                f"{folder}: expected {name} {wanted.get(name)}, got a part collected with {value}; "
                "give collect and prepare the same options"
            )
    return dict(part)
