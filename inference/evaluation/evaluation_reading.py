"""`evaluation.json` read again: what its readers ask for is there, and of its kind."""

from pathlib import Path
from typing import Any

from longspan.inference.evaluation.files import FORMAT, VERSION
from longspan.training.buckets import BUCKETS
from longspan.training.errors import DataError
from longspan.training.fields import Fields
from longspan.training.model.outcome import read_training

__all__ = ["read_evaluation"]

_FIGURES = (
    "bleu", "chrf", "length_ratio", "repetition_rate", "empty_rate", "unfinished_rate",
)  # fmt: skip


def read_evaluation(directory: str | Path) -> dict[str, Any]:
    """The document of docs/evaluation-schema.md.

    Raises DataError for a file that is damaged or of another version, OSError for none.
    """
    path = Path(directory) / "evaluation.json"
    try:
        document = Fields.parse(path.read_bytes())
        _check(document)
    except ValueError as error:
        raise DataError(f"{path}: expected an evaluation, got {error}; evaluate again") from error
    return dict(document.values)


def _check(document: Fields) -> None:
    """Raises ValueError for a value that is not what `longspan evaluate` writes."""
    for name, right in (("format", FORMAT), ("version", VERSION)):
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
