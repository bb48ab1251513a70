"""The files of an evaluation: `evaluation.json` and `translations.tsv`.

`docs/evaluation-schema.md` describes both; `docs/evaluation.schema.json` is the JSON Schema.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from longspan.inference.evaluation.bootstrap import Paired
from longspan.inference.evaluation.evaluation import Evaluation, Group, compare_evaluations
from longspan.inference.evaluation.gate import gate_of
from longspan.training.buckets import BUCKETS, bucket_of
from longspan.training.errors import DataError
from longspan.training.fields import Fields
from longspan.training.files import write_atomically
from longspan.training.model.outcome import TrainingOutcome, read_training

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
    "looping",
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
        name: None if ending is None else asdict(ending) for name, ending in endings.items()
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
    return document


def write_evaluation(
    directory: str | Path,
    evaluation: Evaluation,
    *,
    details: Mapping[str, Any] | None = None,
    against: Evaluation | None = None,
    against_details: Mapping[str, Any] | None = None,
    training: Mapping[str, TrainingOutcome | None] | None = None,
) -> None:
    """Write `translations.tsv` (and `against.translations.tsv`), then `evaluation.json`.

    Raises OSError when the disk is full or the directory cannot be written.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "translations.tsv", _translations(evaluation))
    if against is not None:
        write_atomically(folder / "against.translations.tsv", _translations(against))
    document = evaluation_document(
        evaluation,
        details=details,
        against=against,
        against_details=against_details,
        training=training,
    )
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
            "bleu_signature": evaluation.bleu_signature,
            "chrf_signature": evaluation.chrf_signature,
            "confidence": 0.95,
            "resamples": evaluation.resamples,
            "seed": evaluation.seed,
            "least_bleu": evaluation.least_bleu,
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
    lines = ["\t".join(_TRANSLATIONS_HEAD)]
    for i, words in enumerate(s.words):
        fields = [
            escape(s.sources[i]),
            escape(s.references[i]),
            escape(s.hypotheses[i]),
            str(words),
            bucket_of(words).name,
            "" if s.scores is None else f"{s.scores[i]:.6f}",
            "" if s.finished is None else str(int(s.finished[i])),
            str(int(s.joined[i])),
            "" if s.looping is None else str(int(s.looping[i])),
        ]
        lines.append("\t".join(fields))
    # JSON lines may contain a lone surrogate, which UTF-8 cannot encode; it is written as \\uXXXX.
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


_FIGURES = (
    "bleu", "chrf", "length_ratio", "repetition_rate", "empty_rate", "unfinished_rate",
)  # fmt: skip


def read_evaluation(directory: str | Path) -> dict[str, Any]:
    """Read `evaluation.json` of a directory, as docs/evaluation-schema.md describes it.

    Raises DataError for a file that is damaged or of another version, OSError for a missing one.
    """
    path = Path(directory) / "evaluation.json"
    try:
        document = Fields.parse(path.read_bytes())
        _check(document)
    except ValueError as error:
        raise DataError(f"{path}: expected an evaluation, got {error}; evaluate again") from error
    return dict(document.values)


def _check(document: Fields) -> None:
    """Check a document. Raises ValueError for a value that `longspan evaluate` does not write."""
    for name, right in (("format", EVALUATION_FORMAT), ("version", EVALUATION_VERSION)):
        if document.value(name) != right:
            raise ValueError(f"{name} {document.value(name)!r} in place of {right!r}")
    _check_system(document)
    read_training(document)
    if "against" not in document.values:
        return
    _check_system(document.fields("against"))
    comparison = document.fields("comparison")
    for name in ("all", "long", *(bucket.name for bucket in BUCKETS)):
        if comparison.value(name) is not None:
            for figure in ("difference", "p_value"):
                comparison.fields(name).number(figure)


def _check_system(system: Fields) -> None:
    system.fields("details")
    system.texts("notes")
    metrics = system.fields("metrics")
    for name in ("tokenizer", "bleu_signature", "chrf_signature"):
        metrics.text(name)
    for name in ("resamples", "seed"):
        metrics.integer(name)
    # Evaluations of earlier versions have neither.
    if "least_bleu" in metrics.values:
        metrics.number("least_bleu")
    if "kept" in system.values:
        system.number_or_null("kept")
    buckets = system.objects("buckets")
    for group in (*buckets, system.fields("all"), system.fields("long")):
        _check_group(group)
    names = [group.text("name") for group in (*buckets, system.fields("all"))]
    right = [*(bucket.name for bucket in BUCKETS), "all"]
    if names != right:
        raise ValueError(f"groups {', '.join(names)} in place of {', '.join(right)}")


def _check_group(group: Fields) -> None:
    group.text("name")
    group.integer("segments")
    for figure in _FIGURES:
        group.number_or_null(figure)
    if "looping_rate" in group.values:  # evaluations of earlier versions have none
        group.number_or_null("looping_rate")
    if group.value("bleu_interval") is not None:
        for bound in ("low", "high"):
            group.fields("bleu_interval").number(bound)
