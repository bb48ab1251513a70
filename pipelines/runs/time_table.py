"""The table of times of a run: planned and actual seconds of each part."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from longspan.pipelines.runs.execution import ExecutionState, StepState
from longspan.training.loop.training_log import duration
from longspan.training.tables import align_rows

__all__ = ["time_table", "time_table_lines"]

_STEPS: Mapping[str, tuple[str, ...]] = {
    "preparation": ("Collect", "Prepare"),
    "trials": ("Tune",),
    "baseline": ("TrainBaseline",),
    "evaluation": ("Evaluate",),
}

Span = tuple[datetime, datetime]
TimeRow = dict[str, Any]


def time_table(
    state: ExecutionState,
    planned: Mapping[str, float],
    tuning: Mapping[str, Any],
    updates: Mapping[str, int | None],
    began: datetime | None = None,
) -> list[TimeRow]:
    """Return `times` of `evidence.json`: the parts of an execution that has ended.

    `planned` holds planned seconds by part. `tuning` is `tuning` of `evidence.json`; `updates`
    holds the updates of `model` and of `against` (the baseline). The total begins at `began`, or
    with the first step if that is None. The part `rest` is the time outside of all other parts.
    Unknown seconds are None.
    """
    notes = {"trials": _trials(tuning), "baseline": _baseline(updates)}
    rows, spans = [], list[Span]()
    for part, names in _STEPS.items():
        steps = [step for name in names if (step := state.step(name)) is not None]
        own = [span for step in steps if not step.cached for span in _span(step)]
        spans += own
        seconds = _covered(own) if own else None
        note = "cached from an earlier run" if _is_cached(steps) else notes.get(part, "")
        rows.append(_row(part, planned, seconds, note))
    whole = [span for step in state.steps for span in _span(step)]
    if not whole:
        return rows
    first, last = began or min(start for start, _ in whole), max(end for _, end in whole)
    total = (last - first).total_seconds()
    # Trials and baseline overlap, so parts may add up to more than the total.
    rest = max(0.0, total - _covered(spans))
    return [
        *rows,
        _row("rest", planned, rest, "start, registration, deployment, waiting"),
        _row("total", planned, total, "trials and baseline run at the same time"),
    ]


def time_table_lines(times: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the table as lines of text; `times` is that of `evidence.json`."""
    rows = [("part", "planned", "took", "")]
    for row in times:
        rows.append((row["part"], duration(row["planned"]), duration(row["seconds"]), row["note"]))
    yield from align_rows(rows, "<>><", (12, 7, 7, 0))


def _row(part: str, planned: Mapping[str, float], seconds: float | None, note: str) -> TimeRow:
    return {"part": part, "planned": planned.get(part), "seconds": seconds, "note": note}


def _trials(tuning: Mapping[str, Any]) -> str:
    """Describe the trials: their number, updates, and the shortest and longest time."""
    jobs = tuning.get("jobs", [])
    updates = [job["updates"] for job in jobs if job["updates"] is not None]
    seconds = [job["seconds"] for job in jobs if job["seconds"] is not None]
    parts = [f"{len(jobs)} trial{'s' * (len(jobs) > 1)}"] if jobs else []
    if updates:
        parts.append(f"{sum(updates):,} updates in all")
    if seconds:
        parts.append(f"{min(seconds):.0f} to {max(seconds):.0f} s each")
    return ", ".join(parts)


def _baseline(updates: Mapping[str, int | None]) -> str:
    """Describe the updates of the baseline beside those of the tuned model."""
    baseline, model = updates.get("against"), updates.get("model")
    if baseline is None or model is None:
        return ""
    same = "as the tuned model" if baseline == model else f"the tuned model {model:,}"
    return f"{baseline:,} updates, {same}"


def _is_cached(steps: Sequence[StepState]) -> bool:
    return bool(steps) and all(step.cached for step in steps)


def _span(step: StepState) -> list[Span]:
    return [(step.started, step.ended)] if step.started and step.ended else []


def _covered(spans: Iterable[Span]) -> float:
    """Return the seconds that at least one of the spans covers."""
    # Spans in the order of their starts; `until` is the end of what has been counted.
    #   |-----|            counted whole
    #      |------|        from `until` on
    #        |--|          inside: nothing
    seconds, until = 0.0, None
    for start, end in sorted(spans):
        begin = start if until is None else max(start, until)
        if end > begin:
            seconds += (end - begin).total_seconds()
        until = end if until is None else max(until, end)
    return seconds
