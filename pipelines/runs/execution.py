"""Executions of pipelines: find one, read its steps and their times, stop or retry it.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListPipelineExecutionSteps.html
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from longspan.pipelines.cloud.aws_errors import AwsError, explained

__all__ = [
    "Execution",
    "ExecutionState",
    "ListedExecution",
    "StepState",
    "choose_execution",
    "list_executions",
    "list_pipelines",
]

# Every other status is an end: Succeeded, Failed, Stopped, CompletedWithFailures.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribePipelineExecution.html
_RUNNING = frozenset({"Executing", "Stopping"})
# Of `watch`, in intervals.
_LONGEST_PAUSE = 4


@dataclass(frozen=True)
class StepState:
    """A step that has started; `resource` is the ARN of its job or of the resource it created."""

    name: str
    status: str
    started: datetime | None = None
    ended: datetime | None = None
    resource: str = ""
    cached: bool = False
    attempts: int = 0
    reason: str = ""
    detail: str = ""  # such as the best objective so far

    @property
    def job(self) -> str:
        """Name of the step's job; empty for a step without a job."""
        # ARNs of jobs end with training-job/NAME and the like; models and endpoints have no job.
        return self.resource.rsplit("/", 1)[-1] if "-job/" in self.resource else ""

    def seconds(self, now: datetime) -> float | None:
        """Return the seconds that the step ran, until `now` if it still runs; None before."""
        return (
            None if self.started is None else ((self.ended or now) - self.started).total_seconds()
        )


@dataclass(frozen=True)
class ExecutionState:
    """An execution at one moment."""

    arn: str
    status: str
    reason: str
    steps: tuple[StepState, ...]

    @property
    def ended(self) -> bool:
        """Whether the execution has ended, so that its state is final."""
        return self.status not in _RUNNING

    def step(self, name: str) -> StepState | None:
        """Return a step by its name; None before it has started."""
        return next((step for step in self.steps if step.name == name), None)


class Execution:
    """One execution, asked and stopped through a SageMaker client."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self.arn = arn

    def state(self) -> ExecutionState:
        """Ask for the current state. Raises AwsError."""
        with explained("the execution's state"):
            # The status before the steps: when it is a last one, the steps are final too.
            found = self._client.describe_pipeline_execution(PipelineExecutionArn=self.arn)
            pages = self._client.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=self.arn, SortOrder="Ascending"
            )
            steps = tuple(
                self._step(step) for page in pages for step in page["PipelineExecutionSteps"]
            )
        return ExecutionState(
            arn=self.arn,
            status=found["PipelineExecutionStatus"],
            reason=found.get("FailureReason", ""),
            steps=steps,
        )

    def watch(
        self, interval: float, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[ExecutionState]:
        """Yield one state after another; the last one is that of its end.

        The first pause is `interval` seconds. While nothing changes, each pause is twice the one
        before, up to `_LONGEST_PAUSE` times `interval`: on a local cloud each question takes time
        from the jobs.
        """
        before, pause = None, interval
        while True:
            state = self.state()
            yield state
            if state.ended:
                return
            pause = interval if state != before else min(2 * pause, _LONGEST_PAUSE * interval)
            before = state
            sleep(pause)

    def stop(self) -> None:
        """Ask the execution and its running jobs to stop. Raises AwsError."""
        with explained("stopping the execution"):
            self._client.stop_pipeline_execution(
                PipelineExecutionArn=self.arn, ClientRequestToken=uuid.uuid4().hex
            )

    def retry(self) -> None:
        """Resume a failed or stopped execution where it ended. Raises AwsError."""
        with explained("retrying the execution"):
            self._client.retry_pipeline_execution(
                PipelineExecutionArn=self.arn, ClientRequestToken=uuid.uuid4().hex
            )

    def _step(self, found: Mapping[str, Any]) -> StepState:
        metadata = found.get("Metadata") or {}
        return StepState(
            name=found["StepName"],
            status=found["StepStatus"],
            started=found.get("StartTime"),
            ended=found.get("EndTime"),
            resource=_resource(metadata),
            cached=bool(found.get("CacheHitResult")),
            attempts=found.get("AttemptCount", 0),
            reason=found.get("FailureReason", ""),
            detail=self._detail(metadata),
        )

    def _detail(self, metadata: Mapping[str, Any]) -> str:
        if "TuningJob" in metadata:
            return self._tuning_detail(metadata["TuningJob"]["Arn"].rsplit("/", 1)[-1])
        return str(metadata.get("Condition", {}).get("Outcome", ""))

    def _tuning_detail(self, name: str) -> str:
        job = self._client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        counts = job.get("TrainingJobStatusCounters", {})
        done = sum(counts.get(kind, 0) for kind in ("Completed", "Stopped", "NonRetryableError"))
        total = job["HyperParameterTuningJobConfig"]["ResourceLimits"].get(
            "MaxNumberOfTrainingJobs", done
        )
        best = job.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
        jobs = f"{done} of {total} jobs"
        return f"{jobs}, best {best['MetricName']} {best['Value']:.4g}" if best else jobs


def _resource(metadata: Mapping[str, Any]) -> str:
    """Return the ARN in the metadata of a step of any type; empty if there is none."""
    for value in metadata.values():
        if isinstance(value, Mapping) and isinstance(value.get("Arn"), str):
            return str(value["Arn"])
    return ""


@dataclass(frozen=True)
class ListedExecution:
    """An entry in the list of executions."""

    pipeline: str
    arn: str
    status: str
    started: datetime

    @property
    def id(self) -> str:
        """Last part of the ARN, which users give as EXECUTION."""
        return self.arn.rsplit("/", 1)[-1]


def list_pipelines(client: Any) -> list[str]:
    """Return the names of all pipelines in the account and region. Raises AwsError."""
    with explained("the list of pipelines"):
        pages = client.get_paginator("list_pipelines").paginate()
        return [found["PipelineName"] for page in pages for found in page["PipelineSummaries"]]


def list_executions(client: Any, pipeline: str) -> Iterator[ListedExecution]:
    """Yield the executions of a pipeline, newest first. Raises AwsError."""
    with explained(f"the executions of {pipeline}"):
        pages = client.get_paginator("list_pipeline_executions").paginate(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending"
        )
        for page in pages:
            for found in page["PipelineExecutionSummaries"]:
                yield ListedExecution(
                    pipeline=pipeline,
                    arn=found["PipelineExecutionArn"],
                    status=found["PipelineExecutionStatus"],
                    started=found["StartTime"],
                )


def choose_execution(
    client: Any, wanted: str | None, pipeline: str | None = None
) -> ListedExecution:
    """Return the execution with the ARN or id `wanted`, or the newest one if that is None.

    Without `pipeline`, executions of all pipelines count. Raises AwsError, which lists the existing
    ones, if there is none.
    """
    names = [pipeline] if pipeline else list_pipelines(client)
    found = [one for name in names for one in list_executions(client, name)]
    found.sort(key=lambda one: one.started, reverse=True)
    for one in found:
        if wanted in (None, one.id, one.arn):
            return one
    what = f"execution {wanted}" if wanted else "an execution"
    known = ", ".join(one.id for one in found[:5])
    there = f"got {known}; choose one" if known else "got none; `longspan run` starts one"
    raise AwsError(f"expected {what} of {', '.join(names) or 'a pipeline'}, {there}")
