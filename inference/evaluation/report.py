"""`report.html`: an evaluation as one page, without scripts or files from other places.

It is made from the files of `longspan evaluate`, which `docs/evaluation-schema.md` describes.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from longspan.inference.evaluation.charts import Series, chart_style, line_chart, standalone
from longspan.inference.evaluation.documents.charts import document_sections, documents_svg
from longspan.inference.evaluation.evidence import read_evidence
from longspan.inference.evaluation.files import read_evaluation, unescape
from longspan.inference.evaluation.report_sections import Section, sections
from longspan.training.buckets import MEDIUM
from longspan.training.files import write_atomically
from longspan.training.model.outcome import outcome_warnings, read_training

__all__ = ["render_chart", "render_report", "write_report"]

_Row = Mapping[str, str]


def write_report(directory: str | Path, title: str) -> Path:
    """Write `report.html` beside the `evaluation.json` of a directory; return its path.

    Write the chart of BLEU by sentence length as `quality.svg` too, and that of documents in pieces
    as `documents.svg`, for pages of one's own.

    Raises OSError when a file is missing or cannot be written, DataError for one that is damaged.
    """
    folder = Path(directory)
    document = read_evaluation(folder)
    against = folder / "against.translations.tsv"
    page = render_report(
        title,
        document,
        _read(folder / "translations.tsv"),
        _read(against) if "against" in document else None,
        read_evidence(folder),
    )
    write_atomically(folder / "quality.svg", render_chart(document).encode())
    if document.get("documents") is not None:
        chart = documents_svg(document["documents"])
        write_atomically(folder / "documents.svg", chart.encode())
    path = folder / "report.html"
    write_atomically(path, page.encode())
    return path


def render_report(
    title: str,
    document: Mapping[str, Any],
    translations: Sequence[_Row],
    against: Sequence[_Row] | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> str:
    """Return the page.

    `translations` and `against` have the columns of `translations.tsv`, `evidence` is the content
    of `evidence.json`.
    """
    folder = files("longspan.inference.evaluation")
    template = folder.joinpath("report.html").read_text(encoding="utf-8")
    # A name that is misspelt in the template is an error, and texts of users are escaped.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    names = _names(document)
    return environment.from_string(template).render(
        title=title,
        chart_style=chart_style(),
        warnings=list(outcome_warnings(read_training(document))),
        facts=list(_facts(document)),
        first=_first_sections(document),
        names=names,
        charts=list(_charts(document, names)),
        table=_table(document),
        notes=document["notes"],
        sections=list(sections(evidence or {}, names)),
        examples=list(_examples(translations, against)),
        method=list(_method(document, evidence or {})),
    )


def render_chart(document: Mapping[str, Any]) -> str:
    """Return the chart of BLEU by sentence length as an SVG file of its own."""
    names = _names(document)
    chart = next(_charts(document, names))
    return standalone(chart["svg"], chart["caption"], names)


def _first_sections(document: Mapping[str, Any]) -> list[Section]:
    figures = document.get("documents")
    return [] if figures is None else list(document_sections(figures))


def _names(document: Mapping[str, Any]) -> list[str]:
    return ["model", "baseline"] if "against" in document else ["model"]


def _read(path: Path) -> list[_Row]:
    with path.open(encoding="utf-8", newline="") as file:
        # Fields are escaped and not quoted, so a quotation mark is text.
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [{name: unescape(value) for name, value in row.items()} for row in rows]


def _facts(document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    comparison = document.get("comparison", {})
    for name, label in (("long", document["long"]["name"]), ("all", "all")):
        group, paired = document[name], comparison.get(name)
        note = f"{group['segments']:,} segments"
        if paired is not None:
            note = f"{paired['difference']:+z.1f} on the baseline, p = {paired['p_value']:.3f}"
        yield {"label": f"BLEU, {label}", "value": _number(group["bleu"]), "note": note}
    kept = document.get("kept")
    if kept is not None:
        other = document.get("against", {}).get("kept")
        note = f"of BLEU at {MEDIUM}" + (f"; baseline {other:.0%}" if other is not None else "")
        yield {"label": f"kept, {document['long']['name']}", "value": f"{kept:.0%}", "note": note}
    if (omitted := document["long"].get("omission_rate")) is not None:
        label = f"omitted, {document['long']['name']}"
        yield {"label": label, "value": f"{omitted:.1%}", "note": _omission_note(document)}


def _omission_note(document: Mapping[str, Any]) -> str:
    medium = next(b["omission_rate"] for b in document["buckets"] if b["name"] == MEDIUM)
    note = "of source tokens"
    return note if medium is None else f"{note}; {medium:.1%} at {MEDIUM} words"


# Key of a group, caption, and the ideal value if there is one; rates end in `_rate`.
_CHARTS = (
    ("bleu", "BLEU by source words; bars: 95% intervals", None),
    ("chrf", "chrF by source words", None),
    ("length_ratio", "length: tokens over the reference's", 1.0),
    ("repetition_rate", "share of 4-grams that are repeated", None),
)
_CHECK_CHARTS = (
    ("omission_rate", "share of source tokens in omitted clauses", None),
    ("duplication_rate", "share of tokens in clauses that say something again", None),
)


def _charts(document: Mapping[str, Any], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    categories = [bucket["name"].replace("over ", ">") for bucket in document["buckets"]]
    systems = [document["buckets"]]
    if "against" in document:
        systems.append(document["against"]["buckets"])
    for key, caption, reference in (*_CHARTS, *_CHECK_CHARTS * _is_checked(document)):
        series = [
            Series(
                name, [b.get(key) for b in buckets], _intervals(buckets) if key == "bleu" else ()
            )
            for name, buckets in zip(names, systems, strict=True)
        ]
        percent = key.endswith("_rate")
        svg = line_chart(caption, categories, series, reference=reference, percent=percent)
        yield {"svg": svg, "caption": caption}


def _intervals(buckets: Sequence[Mapping[str, Any]]) -> list[tuple[float, float] | None]:
    found = [bucket["bleu_interval"] for bucket in buckets]
    return [None if interval is None else (interval["low"], interval["high"]) for interval in found]


def _table(document: Mapping[str, Any]) -> dict[str, list[Any]]:
    comparison = document.get("comparison")
    head = ["words", "segments", "BLEU", "chrF", "length", "repeated", "empty", "cut", "loops"]
    head += ["omitted", "doubled"] * _is_checked(document)
    rows = [
        _cells(group, _is_checked(document)) + _compared(comparison, group["name"])
        for group in (*document["buckets"], document["all"])
    ]
    return {"head": head + ["gain", "p"] * (comparison is not None), "rows": rows}


def _is_checked(document: Mapping[str, Any]) -> bool:
    """Whether the translations have accounts of what they omit."""
    return document["all"].get("omission_rate") is not None


def _cells(group: Mapping[str, Any], checked: bool) -> list[str]:
    rates = ["repetition_rate", "empty_rate", "unfinished_rate", "looping_rate"]
    rates += ["omission_rate", "duplication_rate"] * checked
    return [
        group["name"],
        f"{group['segments']:,}",
        _number(group["bleu"]),
        _number(group["chrf"]),
        "" if group["length_ratio"] is None else f"{group['length_ratio']:.2f}",
        *("" if group.get(rate) is None else f"{group[rate]:.1%}" for rate in rates),
    ]


def _compared(comparison: Mapping[str, Any] | None, name: str) -> list[str]:
    if comparison is None:
        return []
    paired = comparison[name]
    return (
        ["", ""]
        if paired is None
        else [f"{paired['difference']:+z.1f}", f"{paired['p_value']:.3f}"]
    )


def _examples(
    translations: Sequence[_Row], against: Sequence[_Row] | None
) -> Iterator[dict[str, Any]]:
    """Yield the translation of each bucket whose length is the furthest from its reference's."""
    worst: dict[str, int] = {}
    for number, row in enumerate(translations):
        bucket = row["bucket"]
        if bucket not in worst or _misfit(row) > _misfit(translations[worst[bucket]]):
            worst[bucket] = number
    for number in sorted(worst.values(), key=lambda n: int(translations[n]["words"])):
        row = translations[number]
        ratio = len(row["hypothesis"]) / max(1, len(row["reference"]))
        texts = [("source", "source"), ("reference", "reference"), ("model", "hypothesis")]
        shown = [{"label": label, "lang": "", "text": row[key]} for label, key in texts]
        if against is not None:
            shown.append({"label": "baseline", "lang": "", "text": against[number]["hypothesis"]})
        remark = f"{ratio:.2f} of the reference's characters"
        yield {"words": row["words"], "remark": remark, "texts": shown}


def _misfit(row: _Row) -> float:
    """Return the ratio of the two lengths, at least 1: the same for twice and half the length."""
    short, long = sorted((len(row["hypothesis"]) + 1, len(row["reference"]) + 1))
    return long / short


def _method(document: Mapping[str, Any], evidence: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    metrics = document["metrics"]
    yield {"label": "BLEU", "text": metrics["bleu_signature"]}
    if metrics.get("tokenizer_reason") is not None:
        chosen = f"{metrics['tokenizer']}: {metrics['tokenizer_reason']}"
        yield {"label": "words of BLEU", "text": chosen}
    yield {"label": "chrF", "text": metrics["chrf_signature"]}
    if metrics.get("length") is not None:
        yield {"label": "length", "text": metrics["length"]}
    intervals = f"{metrics['resamples']} bootstrap resamples, seed {metrics['seed']}"
    yield {"label": "intervals", "text": intervals}
    if "config_sha256" in evidence:
        yield {"label": "config_sha256", "text": evidence["config_sha256"]}
    yield from _details(document["details"], "")
    if "against" in document:
        same = document["details"]
        other = document["against"]["details"]
        yield from _details({n: v for n, v in other.items() if v != same.get(n)}, "baseline: ")


def _details(details: Mapping[str, Any], before: str) -> Iterator[dict[str, str]]:
    for name, value in details.items():
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield {"label": f"{before}{name}", "text": text}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
