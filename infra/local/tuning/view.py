"""Answers of Describe and List for tuning jobs, from their documents and results."""

from collections.abc import Iterable, Sequence

from longspan.infra.local.control.api import Document
from longspan.infra.local.tuning.completion import not_improving
from longspan.infra.local.tuning.definitions import Objective, training_definitions
from longspan.infra.local.tuning.results import (
    TrialResult,
    best_result,
    objective_counters,
    status_counters,
)
from longspan.infra.local.tuning.warm_start import IDENTICAL

__all__ = ["described", "results_of", "tuning_summary"]


def results_of(document: Document, jobs: Iterable[Document]) -> list[TrialResult]:
    """Return the results of training jobs, with the objectives of their definitions."""
    objectives = {d.name: d.objective for d in training_definitions(document)}
    return [
        TrialResult(job, objective)
        for job in jobs
        if (objective := objectives.get(job.get("TrainingJobDefinitionName"))) is not None
    ]


def described(
    document: Document, results: Sequence[TrialResult], parents: Sequence[TrialResult], now: float
) -> Document:
    """Return the answer of DescribeHyperParameterTuningJob; `parents` are the parents' results."""
    answer: Document = {**document, **_counters(results)}
    found = best_result(results)
    if found is not None:
        answer["BestTrainingJob"] = found.summary()
    if (document.get("WarmStartConfig") or {}).get("WarmStartType") == IDENTICAL:
        overall = best_result([*parents, *results])
        if overall is not None:
            own = document["HyperParameterTuningJobName"]
            names = {result.job["TrainingJobName"] for result in results}
            is_own = overall.job["TrainingJobName"] in names
            source = own if is_own else _tuning_job(overall.job)
            answer["OverallBestTrainingJob"] = {**overall.summary(), "TuningJobName": source}
    end = document.get("HyperParameterTuningEndTime", now)
    seconds = max(0, round(end - document["CreationTime"]))
    answer["ConsumedResources"] = {"RuntimeInSeconds": seconds}
    answer["TuningJobCompletionDetails"] = {
        "NumberOfTrainingJobsObjectiveNotImproving": _not_improving(results)
    }
    return answer


def tuning_summary(document: Document, results: Sequence[TrialResult]) -> Document:
    """Return a `HyperParameterTuningJobSummary`."""
    config = document["HyperParameterTuningJobConfig"]
    names = (
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
        "CreationTime",
        "LastModifiedTime",
        "HyperParameterTuningEndTime",
    )
    return {
        **{name: document[name] for name in names if name in document},
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
        **_counters(results),
    }


def _counters(results: Sequence[TrialResult]) -> Document:
    return {
        "TrainingJobStatusCounters": status_counters(results),
        "ObjectiveStatusCounters": objective_counters(results),
    }


def _tuning_job(job: Document) -> str:
    return str(job["TuningJobArn"]).rsplit("/", 1)[-1]


def _not_improving(results: Sequence[TrialResult]) -> int:
    """Return how many training jobs ended since the last improvement, by their end times."""
    ended = [result for result in results if result.value is not None]
    if not ended:
        return 0
    # The results are in the order of their starts; improvement is counted in the order of arrival.
    ended.sort(key=lambda result: float(result.job.get("TrainingEndTime") or 0))
    objective: Objective = ended[0].objective
    return not_improving([r.value for r in ended if r.value is not None], objective)
