"""The hyperparameter search in the report: results of its jobs, importance of hyperparameters.

A job that was stopped early has a lower result than it would have reached. So jobs are compared
after the same number of updates, and the table begins with those that used their whole budget.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.inference.evaluation.charts import Series, line_chart
from longspan.inference.evaluation.importance import LEAST_JOBS, importances

__all__ = ["search_parts"]

_Job = Mapping[str, Any]
_Table = dict[str, Any]


@dataclass(frozen=True)
class _Compared:
    """Jobs with comparable values; `where` says when they were measured, for a sentence."""

    jobs: Sequence[_Job]
    values: Sequence[float]
    where: str


def search_parts(tuning: Mapping[str, Any], shown: Callable[[Any], str]) -> dict[str, Any]:
    """Return note, charts, bars and table of the section.

    `shown` formats the value of a hyperparameter.
    """
    compared = _comparable(tuning["jobs"])
    shares = importances([job["hyperparameters"] for job in compared.jobs], compared.values)
    return {
        "note": " ".join(
            [
                *_zero(tuning),
                *_stopped(tuning),
                _importance(tuning["metric"], compared, bool(shares)),
            ]
        ),
        "charts": [_curves(tuning) if _has_curves(tuning) else _objectives(tuning)],
        "bars": [{"name": name, "share": share} for name, share in shares],
        "table": _table(tuning, shown),
    }


def _comparable(jobs: Sequence[_Job]) -> _Compared:
    """Return values after the same number of updates, the most that enough jobs have reached.

    Without curves, return the final values of the jobs that were not stopped.
    """
    curves = [(job, _curve(job)) for job in jobs]
    places = sorted({updates for _, curve in curves for updates in curve}, reverse=True)
    # From the most updates down: later values say more, but fewer jobs have them.
    for updates in places:
        found = [(job, curve[updates]) for job, curve in curves if updates in curve]
        if len(found) >= LEAST_JOBS:
            where = f"after {updates:,} updates, which {len(found)} jobs reached"
            return _Compared([job for job, _ in found], [value for _, value in found], where)
    whole = [job for job in jobs if _is_whole(job) and job["objective"] is not None]
    where = f"at the end of the {len(whole)} jobs that were not stopped"
    return _Compared(whole, [job["objective"] for job in whole], where)


def _curve(job: _Job) -> dict[int, float]:
    """Return the objective of a job by updates."""
    return {int(updates): float(value) for updates, value in job.get("curve", [])}


def _is_whole(job: _Job, budget: int | None = None) -> bool:
    """Return whether a job used its budget: it ended by itself, or was stopped at the very end."""
    reached = job.get("updates")
    at_end = budget is not None and reached is not None and reached >= budget
    return job["status"] == "Completed" or at_end


def _stopped(tuning: Mapping[str, Any]) -> list[str]:
    """Return a sentence about stopped jobs, or nothing without any."""
    jobs = tuning["jobs"]
    early = [
        j for j in jobs if j["status"] == "Stopped" and not _is_whole(j, tuning.get("updates"))
    ]
    if not early:
        return []
    return [f"{len(early)} of {len(jobs)} jobs were stopped early: their values are not final."]


def _zero(tuning: Mapping[str, Any]) -> list[str]:
    """Return a sentence if the objective was 0 for every job, or nothing."""
    values = {job["objective"] for job in tuning["jobs"]} - {None}
    if values != {0}:
        return []
    return [
        f"{tuning['metric']} is 0 in every job, so it says nothing about which one is best: train "
        "longer, or set tuning.objective: validation:perplexity."
    ]


def _importance(metric: str, compared: _Compared, is_known: bool) -> str:
    if not is_known:
        return f"How important each hyperparameter is takes at least {LEAST_JOBS} jobs that differ."
    return (
        f"Bars: share of the differences in {metric} {compared.where}, that each hyperparameter "
        "explains by itself."
    )


def _has_curves(tuning: Mapping[str, Any]) -> bool:
    return any(len(job.get("curve", [])) > 1 for job in tuning["jobs"])


def _curves(tuning: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the objective of every job by updates, the best job in colour."""
    metric, best = tuning["metric"], _best(tuning)
    curves = [(job, _curve(job)) for job in tuning["jobs"]]
    places = sorted({updates for _, curve in curves for updates in curve})
    series = [
        Series(f"job {number}", [curve.get(place) for place in places], muted=job is not best)
        for number, (job, curve) in enumerate(curves, 1)
        if curve
    ]
    chart = line_chart(
        f"{metric} of each job", [f"{place:,}" for place in places], series, places=places
    )
    return {"svg": chart, "caption": f"{metric} of each job by updates, the best job in colour"}


def _objectives(tuning: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the objective of every job, in the order of their start."""
    metric, jobs, better = tuning["metric"], tuning["jobs"], _better(tuning)
    values = [job["objective"] for job in jobs]
    best = [
        better((v for v in values[: i + 1] if v is not None), default=None)
        for i in range(len(jobs))
    ]
    numbers = [str(i + 1) for i in range(len(jobs))]
    chart = line_chart(
        f"{metric} of each job", numbers, [Series("job", values), Series("best so far", best)]
    )
    return {"svg": chart, "caption": f"{metric} of each job, and the best so far (dashed)"}


def _table(tuning: Mapping[str, Any], shown: Callable[[Any], str]) -> _Table:
    """Return the table of jobs: those with their whole budget first, then by updates and value."""
    jobs, budget, better = tuning["jobs"], tuning.get("updates"), _better(tuning)
    measured = [job for job in jobs if job["objective"] is not None]
    ranked = sorted(measured, key=lambda job: job["objective"], reverse=better is max)
    # A stable sort: jobs with equal updates stay in the order of their values.
    ranked.sort(key=lambda job: (not _is_whole(job, budget), -(job.get("updates") or 0)))
    names = sorted({name for job in jobs for name in job["hyperparameters"]})
    rows = [
        [
            str(jobs.index(job) + 1),
            f"{job['objective']:.2f}",
            _count(job.get("updates")),
            _ending(job, budget),
            *(shown(job["hyperparameters"].get(name, "")) for name in names),
        ]
        for job in ranked
    ]
    return {"head": ["job", tuning["metric"], "updates", "ended", *names], "rows": rows}


def _ending(job: _Job, budget: int | None) -> str:
    if _is_whole(job, budget):
        reached = job.get("updates")
        is_short = budget is not None and reached is not None and reached < budget
        return "by itself, before its budget" if is_short else "whole budget"
    if job["status"] == "Stopped":
        return f"stopped early, of {budget:,}" if budget is not None else "stopped early"
    return str(job["status"]).lower()


def _count(updates: int | None) -> str:
    return "" if updates is None else f"{updates:,}"


def _best(tuning: Mapping[str, Any]) -> _Job | None:
    measured = [job for job in tuning["jobs"] if job["objective"] is not None]
    return _better(tuning)(measured, key=lambda job: job["objective"], default=None)


def _better(tuning: Mapping[str, Any]) -> Callable[..., Any]:
    return min if tuning.get("direction") == "Minimize" else max
