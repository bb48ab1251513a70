"""Sections of the report that evidence adds: alignment, training, the search."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from longspan.training.heat_map import heat_map
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.importance import LEAST_JOBS, importances
from longspan.training.line_chart import Series, line_chart

__all__ = ["sections"]

Section = dict[str, Any]

_DEFAULTS = Hyperparameters().to_dict()


def sections(evidence: Mapping[str, Any], names: Sequence[str]) -> Iterator[Section]:
    """Those that there is evidence for. `names` are the systems', as the charts have them."""
    if evidence.get("alignment"):
        yield _alignment(evidence["alignment"])
    tuning = evidence.get("tuning")
    if tuning and any(job["objective"] is not None for job in tuning["jobs"]):
        yield _tuning(tuning)
    keys = ("model", "against")[: len(names)]
    histories = [evidence.get(key, {}).get("history", []) for key in keys]
    if any(len(history) > 1 for history in histories):
        yield _training(histories, names)
    settings = [evidence.get(key, {}).get("hyperparameters", {}) for key in keys]
    if any(settings):
        yield _settings(settings, names)


def _section(title: str, note: str = "", **parts: Any) -> Section:
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
    return _section(
        title,
        charts=[{"svg": heat_map(title, matrix, rows, columns), "caption": caption, "wide": True}],
        texts=[{"label": label, "text": text} for label, text in texts],
    )


def _tuning(tuning: Mapping[str, Any]) -> Section:
    """Each job's objective, and what the hyperparameters had to do with it."""
    jobs, metric = tuning["jobs"], tuning["metric"]
    better = min if tuning.get("direction") == "Minimize" else max
    values = [job["objective"] for job in jobs]
    best = [
        better((v for v in values[: i + 1] if v is not None), default=None)
        for i in range(len(jobs))
    ]
    chart = line_chart(
        f"{metric} of each job",
        [str(i + 1) for i in range(len(jobs))],
        [Series("job", values), Series("best so far", best)],
    )
    measured = [job for job in jobs if job["objective"] is not None]
    names = sorted({name for job in jobs for name in job["hyperparameters"]})
    shares = importances(
        [job["hyperparameters"] for job in measured], [job["objective"] for job in measured]
    )
    note = (
        f"Bars: share of the differences in {metric} that each hyperparameter explains by itself"
        if shares
        else f"How important each hyperparameter is takes at least {LEAST_JOBS} jobs that differ."
    )
    ranked = sorted(measured, key=lambda job: job["objective"], reverse=better is max)
    rows = [
        [str(jobs.index(job) + 1), f"{job['objective']:.2f}", job["status"]]
        + [_shown(job["hyperparameters"].get(name, "")) for name in names]
        for job in ranked
    ]
    return _section(
        "The search",
        note,
        charts=[{"svg": chart, "caption": f"{metric} of each job, and the best so far (dashed)"}],
        bars=[{"name": name, "share": share} for name, share in shares],
        table={"head": ["job", metric, "status", *names], "rows": rows},
    )


# What a curve shows, and whether it is a share.
_CURVES = (
    ("train:loss", False),
    ("validation:loss", False),
    ("validation:accuracy", True),
    ("validation:bleu", False),
    ("validation:bleu_long", False),
)


def _training(histories: Sequence[Sequence[Mapping[str, Any]]], names: Sequence[str]) -> Section:
    """Curves over updates; systems that were measured at other updates share the scale."""
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
    return _section("Training", charts=charts, names=names)


def _settings(settings: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Section:
    """All hyperparameters, those first that differ between the systems or from the defaults."""
    known = list(dict.fromkeys(name for values in settings for name in values))
    told = [name for name in known if any(_tells(name, values, settings) for values in settings)]
    rows = {name: [name, *(_shown(values.get(name, "")) for values in settings)] for name in known}
    return _section(
        "Hyperparameters",
        table={"head": ["name", *names], "rows": [rows[name] for name in told]},
        more=[rows[name] for name in known if name not in told],
    )


def _tells(name: str, values: Mapping[str, Any], settings: Sequence[Mapping[str, Any]]) -> bool:
    return name in values and (
        values[name] != _DEFAULTS.get(name) or values[name] != settings[0].get(name)
    )


def _shown(value: Any) -> str:
    """As a config has it, but for digits that tell nothing."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    try:
        return f"{float(value):.4g}" if "." in str(value) else str(value)
    except ValueError:
        return str(value)


def _count(number: int) -> str:
    return f"{number / 1000:g}k" if number >= 1000 and number % 100 == 0 else str(number)
