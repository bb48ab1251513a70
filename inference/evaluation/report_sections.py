"""Sections of the report that are made from evidence: alignment, search, training, times."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from longspan.inference.evaluation.charts import Series, line_chart
from longspan.inference.evaluation.heat_map import heat_map
from longspan.inference.evaluation.search_report import search_parts
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.training_log import duration

__all__ = ["Section", "section", "sections"]

Section = dict[str, Any]

_DEFAULTS = Hyperparameters().to_dict()


def sections(evidence: Mapping[str, Any], names: Sequence[str]) -> Iterator[Section]:
    """Yield the sections with evidence. `names` are the systems' names in the charts."""
    if evidence.get("alignment"):
        yield _alignment(evidence["alignment"])
    tuning = evidence.get("tuning")
    if tuning and any(job["objective"] is not None for job in tuning["jobs"]):
        yield section("The search", **search_parts(tuning, _shown))
    keys = ("model", "against")[: len(names)]
    histories = [evidence.get(key, {}).get("history", []) for key in keys]
    if any(len(history) > 1 for history in histories):
        yield _training(histories, names)
    settings = [evidence.get(key, {}).get("hyperparameters", {}) for key in keys]
    if any(settings):
        yield _settings(settings, names)
    if evidence.get("times"):
        yield _times(evidence["times"])


def section(title: str, note: str = "", **parts: Any) -> Section:
    """Return a section of the report with some parts; the others are empty."""
    nothing: Section = {
        "charts": [],
        "names": [],
        "bars": [],
        "table": None,
        "more": [],
        "texts": [],
    }
    return {"title": title, "note": note, **nothing, **parts}


def _alignment(alignment: Mapping[str, Any]) -> Section:
    matrix = np.array(alignment["weights"], dtype=np.float32)
    rows, columns = (
        [token.replace("\u2581", " ").strip() for token in alignment[side]]
        for side in ("rows", "columns")
    )
    title = f"Attention on a sentence of {alignment['words']} words"
    caption = "source from left to right, translation from top to bottom; more ink, more attention"
    texts = [(name, alignment[name]) for name in ("source", "reference", "translation")]
    return section(
        title,
        charts=[{"svg": heat_map(title, matrix, rows, columns), "caption": caption, "wide": True}],
        texts=[{"label": label, "text": text} for label, text in texts],
    )


def _times(times: Sequence[Mapping[str, Any]]) -> Section:
    """Return planned and used seconds of each part of the run."""
    rows = [
        [row["part"], duration(row["planned"]), duration(row["seconds"]), row["note"]]
        for row in times
    ]
    return section(
        "Where the time went", table={"head": ["part", "planned", "took", ""], "rows": rows}
    )


# Metric of a curve, and whether it is a share.
_CURVES = (
    ("train:loss", False),
    ("validation:loss", False),
    ("validation:accuracy", True),
    ("validation:bleu", False),
    ("validation:bleu_long", False),
)


def _training(histories: Sequence[Sequence[Mapping[str, Any]]], names: Sequence[str]) -> Section:
    """Return curves over updates; all systems share one scale of updates."""
    charts = []
    updates = sorted({entry["updates"] for history in histories for entry in history})
    for metric, percent in _CURVES:
        series = []
        for name, history in zip(names, histories, strict=True):
            at = {entry["updates"]: entry.get(metric) for entry in history}
            series.append(Series(name, [at.get(update) for update in updates]))
        if any(value is not None for one in series for value in one.values):
            svg = line_chart(
                metric, [_count(n) for n in updates], series, places=updates, percent=percent
            )
            charts.append({"svg": svg, "caption": f"{metric} by updates"})
    return section("Training", charts=charts, names=names)


def _settings(settings: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Section:
    """Return all hyperparameters; those that differ from the defaults or between systems first."""
    known = list(dict.fromkeys(name for values in settings for name in values))
    told = [name for name in known if any(_tells(name, values, settings) for values in settings)]
    rows = {name: [name, *(_shown(values.get(name, "")) for values in settings)] for name in known}
    return section(
        "Hyperparameters",
        table={"head": ["name", *names], "rows": [rows[name] for name in told]},
        more=[rows[name] for name in known if name not in told],
    )


def _tells(name: str, values: Mapping[str, Any], settings: Sequence[Mapping[str, Any]]) -> bool:
    return name in values and (
        values[name] != _DEFAULTS.get(name) or values[name] != settings[0].get(name)
    )


def _shown(value: Any) -> str:
    """Return a value as a config has it, with at most four significant digits."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    try:
        return f"{float(value):.4g}" if "." in str(value) else str(value)
    except ValueError:
        return str(value)


def _count(number: int) -> str:
    return f"{number / 1000:g}k" if number >= 1000 and number % 100 == 0 else str(number)
