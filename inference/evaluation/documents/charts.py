"""Charts of documents in pieces of every length: the first section of the report.

They are made from the part `documents` of `evaluation.json`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from longspan.inference.evaluation.charts import Series, line_chart, standalone
from longspan.inference.evaluation.documents.table import document_table
from longspan.inference.evaluation.report_sections import Section, section

__all__ = ["document_sections", "documents_svg"]

_Figures = Mapping[str, Any]
_SPLITS = ("in one piece", "split by sentences")
_LENGTH_NAMES = ("in pieces", "the same rows alone")
_SHARE = "{} as a share of that of the rows alone, by piece; bars: 95% paired intervals"


def document_sections(figures: _Figures) -> Iterator[Section]:
    """Yield sections of the report: by unit, by length of the piece, by place in the piece."""
    note = (
        f"{figures['rows']:,} rows of {figures['documents']:,} documents, translated alone, as "
        "neighbours joined to longer pieces, and as whole documents."
    )
    head, rows = document_table(figures)
    yield section(
        "The same text at any length",
        note,
        names=_SPLITS,
        charts=list(_by_unit(figures["units"])),
        table={"head": head, "rows": rows},
    )
    if len(figures["lengths"]) > 1:
        yield section(
            "By length of the piece",
            names=_LENGTH_NAMES,
            charts=list(_by_length(figures["lengths"])),
        )
    if figures["places"]:
        yield _by_place(figures["places"])


def documents_svg(figures: _Figures) -> str:
    """Return the first chart of the section as an SVG file of its own."""
    chart = next(_by_unit(figures["units"]))
    return standalone(chart["svg"], chart["caption"], _SPLITS)


def _by_unit(units: Sequence[_Figures]) -> Iterator[dict[str, Any]]:
    names = list(dict.fromkeys(unit["unit"] for unit in units))
    found = {(unit["unit"], unit["split"]): unit for unit in units}
    systems = [[found.get((name, split)) for name in names] for split in (False, True)]
    for metric in ("bleu", "chrf"):
        caption = _SHARE.format({"bleu": "BLEU", "chrf": "chrF"}[metric])
        series = [
            _shares(name, [unit and unit[f"{metric}_ratio"] for unit in system])
            for name, system in zip(_SPLITS, systems, strict=True)
        ]
        yield _chart(line_chart(caption, names, series, reference=1.0, percent=True), caption)
    for key in ("omitted", "repeated"):
        caption = f"share of rows that are {key}, by piece"
        series = [
            Series(name, [None if unit is None else unit[key] / unit["rows"] for unit in system])
            for name, system in zip(_SPLITS, systems, strict=True)
        ]
        yield _chart(line_chart(caption, names, series, percent=True), caption)


def _by_length(lengths: Sequence[_Figures]) -> Iterator[dict[str, Any]]:
    categories = [one["name"].replace("over ", ">") for one in lengths]
    for metric, label in (("bleu", "BLEU"), ("chrf", "chrF")):
        caption = f"{label} by source words of the piece"
        series = [
            Series(_LENGTH_NAMES[0], [one[metric] for one in lengths]),
            Series(_LENGTH_NAMES[1], [one["alone"][metric] for one in lengths]),
        ]
        yield _chart(line_chart(caption, categories, series), caption)


def _by_place(places: Sequence[_Figures]) -> Section:
    # The two units with the longest pieces: a chart has two colours.
    names = list(dict.fromkeys(one["unit"] for one in places))[-2:]
    fifths = sorted({one["fifth"] for one in places})
    charts = []
    for metric, label in (("bleu", "BLEU"), ("chrf", "chrF")):
        caption = f"{label} as a share of that of the rows alone, by fifth of the piece"
        found = {(one["unit"], one["fifth"]): one[f"{metric}_ratio"] for one in places}
        series = [_shares(name, [found.get((name, n)) for n in fifths]) for name in names]
        svg = line_chart(caption, [str(n) for n in fifths], series, reference=1.0, percent=True)
        charts.append(_chart(svg, caption))
    return section("By place in the piece", names=names, charts=charts)


def _shares(name: str, ratios: Sequence[_Figures | None]) -> Series:
    return Series(
        name,
        [None if ratio is None else ratio["value"] for ratio in ratios],
        [
            None if ratio is None else (ratio["interval"]["low"], ratio["interval"]["high"])
            for ratio in ratios
        ],
    )


def _chart(svg: Any, caption: str) -> dict[str, Any]:
    return {"svg": svg, "caption": caption}
