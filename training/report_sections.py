"""Sections of the report that evidence adds: alignment, training, the search."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from longspan.training.heat_map import heat_map
from longspan.training.importance import LEAST_JOBS, importances
from longspan.training.line_chart import Series, line_chart

__all__ = ["sections"]

Section = dict[str, Any]

# Points of a curve that have a label; the others have only their place.
_LABELS = 8


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
    return {"title": title, "note": note, "charts": [], "bars": [], "table": None, "texts": [], **parts}


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
        charts=[{"svg": heat_map(title, matrix, rows, columns), "caption": caption}],
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
        _sparse([str(i + 1) for i in range(len(jobs))]),
        [Series("job", values), Series("best so far", best)],
    )
    measured = [job for job in jobs if job["objective"] is not None]
    names = sorted({name for job in jobs for name in job["hyperparameters"]})
    shares = importances(
        [job["hyperparameters"] for job in measured], [job["objective"] for job in measured]
    )
    note = (
        f"Bars: the share of the differences in {metric} that each hyperparameter explains by itself"
        if shares
        else f"How important each hyperparameter is takes at least {LEAST_JOBS} jobs that differ."
    )
    ranked = sorted(measured, key=lambda job: job["objective"], reverse=better is max)
    rows = [
        [str(jobs.index(job) + 1), f"{job['objective']:.2f}", job["status"]]
        + [str(job["hyperparameters"].get(name, "")) for name in names]
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
    ("validation:perplexity", False),
    ("validation:accuracy", True),
    ("validation:bleu", False),
    ("validation:bleu_long", False),
    ("train:perplexity", False),
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
            svg = line_chart(metric, _sparse([_count(n) for n in updates]), series, percent=percent)
            charts.append({"svg": svg, "caption": f"{metric} by updates"})
    return _section("Training", charts=charts)


def _settings(settings: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Section:
    """Hyperparameters that differ between the systems, or are not what they would be anyway."""
    known = list(dict.fromkeys(name for values in settings for name in values))
    rows = [[name, *(str(values.get(name, "")) for values in settings)] for name in known]
    return _section("Hyperparameters", table={"head": ["name", *names], "rows": rows})


def _sparse(labels: Sequence[str]) -> list[str]:
    step = -(-len(labels) // _LABELS)
    return [label if i % step == 0 else "" for i, label in enumerate(labels)]


def _count(number: int) -> str:
    return f"{number / 1000:g}k" if number >= 1000 and number % 100 == 0 else str(number)
