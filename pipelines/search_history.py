"""What only the pipeline knows, for the report: its config's hash and the jobs of the search."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longspan.pipelines.aws_errors import explained
from longspan.pipelines.execution import ExecutionState
from longspan.training.evidence import add_evidence
from longspan.training.report import write_report

__all__ = ["add_pipeline_evidence", "search_history"]


def add_pipeline_evidence(
    sagemaker: Any, state: ExecutionState, folder: Path, config_sha256: str
) -> None:
    """Put the hash, and the step Tune's jobs where it has run, into a downloaded report.

    Raises AwsError.
    """
    parts: dict[str, Any] = {"config_sha256": config_sha256}
    step = state.step("Tune")
    if step is not None and step.job:
        with explained("the jobs of the search"):
            parts["tuning"] = search_history(sagemaker, step.job)
    add_evidence(folder, parts)
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
    return {"metric": objective["MetricName"], "direction": objective["Type"], "jobs": jobs}


def _job(summary: Mapping[str, Any]) -> dict[str, Any]:
    measured = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return {
        "name": summary["TrainingJobName"],
        "status": summary["TrainingJobStatus"],
        "objective": measured["Value"] if measured else None,
        "hyperparameters": dict(summary["TunedHyperParameters"]),
    }
