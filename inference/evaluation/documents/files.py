"""The part `documents` of `evaluation.json`, and `documents.tsv`.

`docs/evaluation-schema.md` describes both.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field

from longspan.inference.evaluation.documents.comparison import DocumentComparison
from longspan.inference.evaluation.documents.figures import Compared
from longspan.training.pairs.pairs import join_document
from longspan.training.values import Count, JsonDocument

__all__ = ["DocumentFigures", "document_figures", "document_rows"]

_HEAD = ("doc", "unit", "split", "reference", "hypothesis")


def document_figures(comparison: DocumentComparison) -> dict[str, Any]:
    """Return the figures as JSON values."""
    documents = comparison.documents
    return {
        "documents": len(documents.documents),
        "rows": len(documents.rows),
        "words": sum(document.words for document in documents.documents),
        "resampled": "documents" if comparison.draws_documents else "rows",
        "aligned_alone": _compared(comparison.aligned_alone),
        "units": [
            {
                "unit": one.unit,
                "split": one.split,
                "pieces": one.pieces,
                "mean_words": one.mean_words,
                "longest": one.longest,
                "unfinished": one.unfinished,
                "looping": one.looping,
                **_compared(one.compared),
            }
            for one in comparison.units
        ],
        "lengths": [
            {
                "name": one.bucket.name,
                "low": one.bucket.low,
                "high": one.bucket.high,
                "pieces": one.pieces,
                **_compared(one.compared),
            }
            for one in comparison.lengths
        ],
        "places": [
            {"unit": one.unit, "fifth": one.fifth, **_compared(one.compared)}
            for one in comparison.places
        ],
    }


def document_rows(comparison: DocumentComparison) -> Iterator[tuple[str, ...]]:
    """Yield the rows of `documents.tsv`, its head first: every row's output in every unit."""
    yield _HEAD
    for (unit, split), texts in comparison.texts.items():
        for row, text in zip(comparison.documents.rows, texts, strict=True):
            place = join_document(row.document, row.position)
            yield place, unit, str(int(split)), row.target, text


def _compared(compared: Compared) -> dict[str, Any]:
    values = asdict(compared)
    return {"rows": values.pop("rows"), **values.pop("figures"), **values}


class _Interval(JsonDocument):
    low: float
    high: float


class _Ratio(JsonDocument):
    value: float
    interval: _Interval


class _Figures(JsonDocument):
    bleu: float
    chrf: float
    length_ratio: float | None
    repetition_rate: float | None
    omitted: Count
    repeated: Count


class _Compared(_Figures):
    rows: Annotated[int, Field(ge=1)]
    alone: _Figures
    bleu_ratio: _Ratio | None
    chrf_ratio: _Ratio | None


class _Unit(_Compared):
    unit: str
    split: bool
    pieces: Count
    mean_words: float
    longest: Count
    unfinished: Count
    looping: Count


class _Length(_Compared):
    name: str
    pieces: Count


class _Place(_Compared):
    unit: str
    fifth: Literal[1, 2, 3, 4, 5]


class DocumentFigures(JsonDocument):
    """The part `documents` of `evaluation.json`."""

    documents: Count
    rows: Count
    words: Count
    resampled: Literal["documents", "rows"]
    aligned_alone: _Compared
    units: list[_Unit]
    lengths: list[_Length]
    places: list[_Place]
