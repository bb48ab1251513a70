"""What an evaluation leaves on the disk: `evaluation.json` and `translations.tsv`.

`docs/evaluation-schema.md` describes both; `docs/evaluation.schema.json` is the JSON Schema.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from longspan.inference.evaluation.bootstrap import Paired
from longspan.inference.evaluation.evaluation import Evaluation, compare_evaluations
from longspan.inference.evaluation.gate import gate_of
from longspan.inference.evaluation.quality import Group
from longspan.training.buckets import bucket_of
from longspan.training.files import write_atomically
from longspan.training.model.outcome import TrainingOutcome

__all__ = ["FORMAT", "VERSION", "escape", "evaluation_document", "unescape", "write_evaluation"]

FORMAT = "longspan-evaluation"
VERSION = 1

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
    """`evaluation.json` as JSON values; `details` say what was evaluated and how it searched.

    `training` holds how the training of `model` and of `against` ended, None for a file of
    translations.
    """
    endings = dict(training or {"model": None})
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
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
    r"""Text as a TSV field: tab, line breaks and backslash as `\t`, `\n`, `\r`, `\\`."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def unescape(field: str) -> str:
    """The inverse of `escape`."""
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
    # A lone surrogate, as JSON lines may hold, is not worth losing the results for.
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")
