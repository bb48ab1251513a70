"""Evidence for the report that only the pipeline has: hash of the config, trials, times."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from longspan.inference.evaluation.evidence import add_evidence, read_evidence
from longspan.inference.evaluation.report import write_report
from longspan.pipelines.cloud.aws_errors import explained
from longspan.pipelines.config import Config
from longspan.pipelines.definition.registration import config_hash
from longspan.pipelines.runs.execution import ExecutionState
from longspan.pipelines.runs.time_table import time_table
from longspan.training.loop.metrics import CHECKPOINT, parse_checkpoint

__all__ = ["add_pipeline_evidence", "search_history"]

_GROUP = "/aws/sagemaker/TrainingJobs"

# Checkpoints of a job in the order of its log: updates and metrics of each.
Checkpoints = list[tuple[int, dict[str, float]]]


def add_pipeline_evidence(
    sagemaker: Any,
    logs: Any,
    state: ExecutionState,
    folder: Path,
    config: Config,
    began: datetime | None = None,
) -> None:
    """Add the hash of the config, the trials of the step Tune and the times to a report.

    `folder` holds a downloaded evaluation. `began` is the start of the command, if this command
    started the execution. Raises AwsError.
    """
    tuning: dict[str, Any] = {}
    step = state.step("Tune")
    if step is not None and step.job:
        with explained("the jobs of the search"):
            tuning = search_history(sagemaker, logs, step.job)
    planned = {str(part): seconds for part, seconds in config.planned_seconds.items()}
    times = time_table(state, planned, tuning, _updates(folder), began)
    parts = {"config_sha256": config_hash(config), "times": times}
    add_evidence(folder, parts | ({"tuning": tuning} if tuning else {}))
    write_report(folder, "Quality by sentence length")


def _updates(folder: Path) -> dict[str, int | None]:
    """Return the updates of model and baseline, by their names in `evidence.json`."""
    evidence = read_evidence(folder)
    histories = {name: evidence.get(name, {}).get("history") for name in ("model", "against")}
    return {
        name: history[-1]["updates"] if history else None for name, history in histories.items()
    }


def search_history(sagemaker: Any, logs: Any, name: str) -> dict[str, Any]:
    """Return `tuning` of `evidence.json`: the trials of a tuning job in the order of their start.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobsForHyperParameterTuningJob.html
    """
    described = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    objective = described["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    metric = objective["MetricName"]
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending"
    )
    checkpoints = _checkpoints(logs, name)
    jobs = [
        _job(job, metric, checkpoints.get(job["TrainingJobName"], []))
        for page in pages
        for job in page["TrainingJobSummaries"]
    ]
    static = described.get("TrainingJobDefinition", {}).get("StaticHyperParameters", {})
    budget = str(static.get("max_num_batches", ""))
    return {
        "metric": metric,
        "direction": objective["Type"],
        # The value may be `none`, or absent.
        "updates": int(budget) if budget.isdecimal() else None,
        "jobs": jobs,
    }


def _job(summary: Mapping[str, Any], metric: str, checkpoints: Checkpoints) -> dict[str, Any]:
    measured = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    started, ended = (summary.get(f"Training{which}Time") for which in ("Start", "End"))
    return {
        "name": summary["TrainingJobName"],
        "status": summary["TrainingJobStatus"],
        "objective": measured["Value"] if measured else None,
        "hyperparameters": dict(summary["TunedHyperParameters"]),
        "seconds": (ended - started).total_seconds() if started and ended else None,
        "updates": checkpoints[-1][0] if checkpoints else None,
        "curve": [[updates, values[metric]] for updates, values in checkpoints if metric in values],
    }


def _checkpoints(logs: Any, name: str) -> dict[str, Checkpoints]:
    """Return the checkpoints of each training job from its log; empty without the right to read.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    found: dict[str, Checkpoints] = {}
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=_GROUP, logStreamNamePrefix=f"{name}-", filterPattern=f'"{CHECKPOINT}"'
    )
    try:
        for event in (event for page in pages for event in page["events"]):
            checkpoint = parse_checkpoint(event["message"])
            if checkpoint is not None:
                found.setdefault(event["logStreamName"].split("/")[0], []).append(checkpoint)
    except ClientError as error:
        if error.response["Error"]["Code"] not in (
            "AccessDeniedException",
            "ResourceNotFoundException",
        ):
            raise
        return {}
    # A job that resumed prints a checkpoint again: the last line wins.
    return {job: sorted(dict(known).items()) for job, known in found.items()}
