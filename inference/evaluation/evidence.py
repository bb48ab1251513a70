"""Evidence: data for an evaluation's report that is not a figure of the evaluation.

It is `evidence.json` in the evaluation's directory. Any part may be missing:

    model, against   of each system: `history` (metrics of its checkpoints), `hyperparameters`
    alignment        of one long test sentence: source, reference, translation, `rows` (tokens of
                     the translation), `columns` (of the source), `weights` (row by row)
    config_sha256    of the pipeline's config
    tuning           `metric`, `direction` (Maximize or Minimize), `updates` (of a whole budget) and
                     `jobs` of the search in the order of their start: `name`, `status`,
                     `objective`, `hyperparameters`, `seconds`, `updates`, `curve` (pairs of updates
                     and objective)
    times            `part`, `planned` and `seconds` of each part of the run, with a `note`
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from longspan.training.errors import DataError
from longspan.training.files import write_atomically
from longspan.training.model.config import HistoryEntry
from longspan.training.values import JsonDocument

__all__ = ["add_evidence", "read_evidence"]

_FILE = "evidence.json"


class _SystemEvidence(JsonDocument):
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    history: list[HistoryEntry] = Field(default_factory=list)


class _Evidence(JsonDocument):
    model: _SystemEvidence = Field(default_factory=lambda: _SystemEvidence())
    against: _SystemEvidence = Field(default_factory=lambda: _SystemEvidence())


def read_evidence(directory: str | Path) -> dict[str, Any]:
    """Read the evidence; it is empty for an evaluation of an earlier version, without the file.

    Raises DataError for a damaged file.
    """
    path = Path(directory) / _FILE
    if not path.exists():
        return {}
    try:
        return _Evidence.checked(path.read_bytes())
    except ValueError as error:
        raise DataError(
            f"{path}: expected an evaluation's evidence: {error}; evaluate again"
        ) from error


def add_evidence(directory: str | Path, parts: Mapping[str, Any]) -> None:
    """Add parts to the evidence, or replace them.

    Raises OSError when the directory cannot be written.
    """
    content = read_evidence(directory) | dict(parts)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    write_atomically(Path(directory) / _FILE, text.encode("utf-8", "backslashreplace"))
