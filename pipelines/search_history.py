"""The search of an execution: its jobs, for the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longspan.pipelines.aws_errors import explained
from longspan.pipelines.execution import ExecutionState
from longspan.training.evidence import add_evidence
from longspan.training.report import write_report

__all__ = ["add_search_history", "search_history"]


def add_search_history(sagemaker: Any, state: ExecutionState, folder: Path) -> None:
    """Put the step Tune's jobs into the report of a downloaded evaluation, where it has run.

    Raises AwsError.
    """
    step = state.step("Tune")
    if step is None or not step.job:
        return
    with explained("the jobs of the search"):
        history = search_history(sagemaker, step.job)
    add_evidence(folder, {"tuning": history})
    write_report(folder, "Quality by sentence length")


def search_history(sagemaker: Any, name: str) -> dict[str, Any]:
    """`tuning` of `evidence.json`: the jobs of a tuning job in the order of their start.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobsForHyperParameterTuningJob.html
    """
    described = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    objective = described["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending"
    )
    jobs = [_job(job) for page in pages for job in page["TrainingJobSummaries"]]
    return {"metric": objective["MetricName"], "jobs": jobs}


def _job(summary: Mapping[str, Any]) -> dict[str, Any]:
    measured = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return {
        "name": summary["TrainingJobName"],
        "status": summary["TrainingJobStatus"],
        "objective": measured["Value"] if measured else None,
        "hyperparameters": dict(summary["TunedHyperParameters"]),
    }
