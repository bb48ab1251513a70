"""Tables of documents in pieces of every length, as cells and as aligned text.

Cells are made from the part `documents` of `evaluation.json`.
"""

from collections.abc import Mapping
from typing import Any

from longspan.inference.evaluation.documents.comparison import DocumentComparison
from longspan.inference.evaluation.documents.files import document_figures
from longspan.training.tables import align_rows

__all__ = ["document_table", "render_documents", "unit_name"]

_NONE = "-"
_HEAD = (
    "translated in", "pieces", "words", "BLEU", "share", "95% interval", "chrF", "share", "length",
    "omitted", "repeated", "cut", "loops",
)  # fmt: skip

_Figures = Mapping[str, Any]


def render_documents(comparison: DocumentComparison) -> str:
    """Return the table as aligned text, with lines that say what its columns mean."""
    figures = document_figures(comparison)
    head, *rows = align_rows([list(_HEAD), *document_table(figures)[1]])
    resampled = "documents" if figures["resampled"] == "documents" else "rows, as there are few"
    return "\n".join(
        [
            f"the same {figures['rows']:,} rows of {figures['documents']:,} documents "
            f"({figures['words']:,} words) in pieces of every length",
            head,
            "-" * max(map(len, [head, *rows])),
            *rows,
            "share: BLEU or chrF over that of the same rows translated alone; paired bootstrap of "
            f"{resampled}",
            "omitted: less than a third of the reference's tokens; repeated: over half of the "
            "4-grams stood before in the document",
        ]
    )


def document_table(figures: _Figures) -> tuple[list[str], list[list[str]]]:
    """Return head and rows: by unit, by length of the piece, and by place in the piece."""
    rows = [_cells(unit_name(unit), unit) for unit in figures["units"]]
    rows.append(_cells("rows, aligned again", figures["aligned_alone"]))
    rows += [_cells(f"pieces of {one['name']} words", one) for one in figures["lengths"]]
    rows += [_cells(f"{one['unit']}: fifth {one['fifth']}", one) for one in figures["places"]]
    return list(_HEAD), rows


def unit_name(unit: _Figures) -> str:
    """Return the name of a unit, and whether its pieces were split."""
    return f"{unit['unit']}, split" if unit["split"] else str(unit["unit"])


def _cells(name: str, one: _Figures) -> list[str]:
    return [
        name,
        _count(one.get("pieces")),
        _number(one.get("mean_words"), 0),
        f"{one['bleu']:.1f}",
        *_ratio(one["bleu_ratio"]),
        f"{one['chrf']:.1f}",
        _ratio(one["chrf_ratio"])[0],
        _number(one["length_ratio"], 2),
        *(f"{one[key]} ({one[key] / one['rows']:.1%})" for key in ("omitted", "repeated")),
        _count(one.get("unfinished")),
        _count(one.get("looping")),
    ]


def _ratio(ratio: _Figures | None) -> tuple[str, str]:
    if ratio is None:
        return _NONE, _NONE
    interval = ratio["interval"]
    return f"{ratio['value']:.3f}", f"{interval['low']:.3f} to {interval['high']:.3f}"


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
