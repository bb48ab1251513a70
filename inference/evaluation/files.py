"""The files of an evaluation: `evaluation.json` and `translations.tsv`.

`docs/evaluation-schema.md` describes both; `docs/evaluation.schema.json` is the JSON Schema.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from longspan.inference.accounting.account import TextSpan
from longspan.inference.evaluation.bootstrap import Paired
from longspan.inference.evaluation.documents.comparison import DocumentComparison
from longspan.inference.evaluation.documents.files import (
    DocumentFigures,
    document_figures,
    document_rows,
)
from longspan.inference.evaluation.evaluation import Evaluation, Group, compare_evaluations
from longspan.inference.evaluation.gate import gate_of
from longspan.training.buckets import BUCKETS, LEAST_BLEU, bucket_of
from longspan.training.errors import DataError
from longspan.training.files import write_atomically
from longspan.training.lengths import LENGTH_RULE
from longspan.training.model.outcome import TrainingOutcome
from longspan.training.values import Count, JsonDocument

__all__ = [
    "EVALUATION_FORMAT",
    "EVALUATION_VERSION",
    "escape",
    "evaluation_document",
    "read_evaluation",
    "unescape",
    "write_evaluation",
]

EVALUATION_FORMAT = "longspan-evaluation"
EVALUATION_VERSION = 1

_TRANSLATIONS_HEAD = (
    "source", "reference", "hypothesis", "words", "bucket", "score", "finished", "joined",
    "looping", "omissions", "duplications",
)  # fmt: skip
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def evaluation_document(
    evaluation: Evaluation,
    *,
    details: Mapping[str, Any] | None = None,
    against: Evaluation | None = None,
    against_details: Mapping[str, Any] | None = None,
    training: Mapping[str, TrainingOutcome | None] | None = None,
    documents: DocumentComparison | None = None,
) -> dict[str, Any]:
    """Return `evaluation.json` as JSON values.

    `details` describe the system and its search. `training` says how the training of `model` and
    of `against` ended, None for a file of translations.
    """
    endings = dict(training or {"model": None})
    document: dict[str, Any] = {
        "format": EVALUATION_FORMAT,
        "version": EVALUATION_VERSION,
        **_system(evaluation, details),
    }
    document["training"] = {
        name: None if ending is None else ending.model_dump() for name, ending in endings.items()
    }
    gate = gate_of(evaluation, against, endings["model"])
    document["gate"] = gate.figures
    document["notes"] += gate.notes
    if against is not None:
        document["against"] = _system(against, against_details)
        document["comparison"] = {
            name: _paired(paired)
            for name, paired in compare_evaluations(evaluation, against).items()
        }
    if documents is not None:
        document["documents"] = document_figures(documents)
    return document


def write_evaluation(
    directory: str | Path,
    evaluation: Evaluation,
    *,
    details: Mapping[str, Any] | None = None,
    against: Evaluation | None = None,
    against_details: Mapping[str, Any] | None = None,
    training: Mapping[str, TrainingOutcome | None] | None = None,
    documents: DocumentComparison | None = None,
) -> None:
    """Write `translations.tsv` (`against.translations.tsv`, `documents.tsv`), `evaluation.json`.

    Raises OSError when the disk is full or the directory cannot be written.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "translations.tsv", _translations(evaluation))
    if against is not None:
        write_atomically(folder / "against.translations.tsv", _translations(against))
    if documents is not None:
        write_atomically(folder / "documents.tsv", _tsv(document_rows(documents)))
    document = evaluation_document(
        evaluation,
        details=details,
        against=against,
        against_details=against_details,
        training=training,
        documents=documents,
    )
    # Written last: a folder with this file has the translations too.
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    write_atomically(folder / "evaluation.json", text.encode())


def escape(text: str) -> str:
    r"""Return text as a TSV field: tab, line breaks and backslash as `\t`, `\n`, `\r`, `\\`."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def unescape(field: str) -> str:
    """Return the text of a TSV field: the inverse of `escape`."""
    text, characters = [], iter(field)
    for c in characters:
        text.append(_UNESCAPES[next(characters)] if c == "\\" else c)
    return "".join(text)


def _system(evaluation: Evaluation, details: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "details": dict(details or {}),
        "metrics": {
            "tokenizer": evaluation.tokenizer,
            "tokenizer_reason": evaluation.tokenizer_reason,
            "bleu_signature": evaluation.bleu_signature,
            "chrf_signature": evaluation.chrf_signature,
            "confidence": 0.95,
            "resamples": evaluation.resamples,
            "seed": evaluation.seed,
            "least_bleu": evaluation.least_bleu,
            "length": LENGTH_RULE,
        },
        "kept": evaluation.kept,
        "all": _group(evaluation.all),
        "long": _group(evaluation.long),
        "buckets": [_group(group) for group in evaluation.buckets],
        "notes": list(evaluation.notes),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "low": group.low,
        "high": group.high,
        **asdict(group.quality),
        "natural": asdict(group.natural),
        "joined": asdict(group.joined),
    }


def _paired(paired: Paired | None) -> dict[str, Any] | None:
    return None if paired is None else asdict(paired)


def _translations(evaluation: Evaluation) -> bytes:
    s = evaluation.segments
    rows: list[Sequence[str]] = [_TRANSLATIONS_HEAD]
    for i, words in enumerate(s.words):
        fields = [
            s.sources[i],
            s.references[i],
            s.hypotheses[i],
            str(words),
            bucket_of(words).name,
            "" if s.scores is None else f"{s.scores[i]:.6f}",
            "" if s.finished is None else str(int(s.finished[i])),
            str(int(s.joined[i])),
            "" if s.looping is None else str(int(s.looping[i])),
            "" if s.accounts is None else _places(s.accounts[i].omissions),
            "" if s.accounts is None else _places(s.accounts[i].duplications),
        ]
        rows.append(fields)
    return _tsv(rows)


def _places(spans: Iterable[TextSpan]) -> str:
    """Return spans as `3-20 31-58`, in characters of their text."""
    return " ".join(f"{span.start}-{span.stop}" for span in spans)


def _tsv(rows: Iterable[Sequence[str]]) -> bytes:
    lines = ["\t".join(map(escape, row)) for row in rows]
    # JSON lines may contain a lone surrogate, which UTF-8 cannot encode; it is written as \\uXXXX.
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


class _Interval(JsonDocument):
    low: float
    high: float


class _Group(JsonDocument):
    name: str
    segments: Count
    bleu: float | None
    chrf: float | None
    length_ratio: float | None
    repetition_rate: float | None
    empty_rate: float | None
    unfinished_rate: float | None
    # Evaluations of earlier versions have none of these.
    looping_rate: float | None = None
    omission_rate: float | None = None
    duplication_rate: float | None = None
    bleu_interval: _Interval | None


class _Metrics(JsonDocument):
    tokenizer: str
    bleu_signature: str
    chrf_signature: str
    resamples: Count
    seed: Count
    # Evaluations of earlier versions do not have these.
    least_bleu: float = LEAST_BLEU
    length: str | None = None
    tokenizer_reason: str | None = None


class _System(JsonDocument):
    """The figures of one system in an evaluation."""

    details: dict[str, Any]
    notes: list[str]
    metrics: _Metrics
    kept: float | None = None  # evaluations of earlier versions have none
    buckets: list[_Group]
    all: _Group
    long: _Group

    @model_validator(mode="after")
    def _check_groups(self) -> "_System":
        names = [group.name for group in (*self.buckets, self.all)]
        right = [*(bucket.name for bucket in BUCKETS), "all"]
        if names != right:
            raise ValueError(f"expected the groups {', '.join(right)}, got {', '.join(names)}")
        return self


class _Difference(JsonDocument):
    difference: float
    p_value: float


class _Evaluation(_System):
    """The whole of `evaluation.json`, as `longspan evaluate` writes it."""

    format: Literal["longspan-evaluation"]
    version: Literal[1]
    training: dict[str, TrainingOutcome | None] = Field(default_factory=dict)
    against: _System | None = None
    comparison: dict[str, _Difference | None] = Field(default_factory=dict)
    documents: DocumentFigures | None = None

    @model_validator(mode="after")
    def _check_comparison(self) -> "_Evaluation":
        if "against" not in self.model_fields_set:
            return self
        if self.against is None:
            raise ValueError("expected against to be an object, got null")
        missing = {*(bucket.name for bucket in BUCKETS), "all", "long"} - self.comparison.keys()
        if missing:
            raise ValueError(f"expected a comparison of {', '.join(sorted(missing))}, got none")
        return self


def read_evaluation(directory: str | Path) -> dict[str, Any]:
    """Read `evaluation.json` of a directory, as docs/evaluation-schema.md describes it.

    Raises DataError for a file that is damaged or of another version, OSError for a missing one.
    """
    path = Path(directory) / "evaluation.json"
    try:
        return _Evaluation.checked(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}: expected an evaluation: {error}; evaluate again") from error
