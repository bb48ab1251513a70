"""One execution of a pipeline, as it stands: its steps, their times, what they found so far.

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

_ENDED = frozenset({"Succeeded", "Failed", "Stopped"})


@dataclass(frozen=True)
class StepState:
    """A step that has started; `resource` is the ARN of its job or of what it created."""

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
        """The name of its job, empty for a step without one."""
        return self.resource.rsplit("/", 1)[-1] if "-job/" in self.resource else ""

    def seconds(self, now: datetime) -> float | None:
        """How long it ran, until `now` if it still does."""
        return (
            None if self.started is None else ((self.ended or now) - self.started).total_seconds()
        )


@dataclass(frozen=True)
class ExecutionState:
    """The whole execution at one moment."""

    arn: str
    status: str
    reason: str
    steps: tuple[StepState, ...]

    @property
    def ended(self) -> bool:
        """Nothing will change any more."""
        return self.status in _ENDED

    def step(self, name: str) -> StepState | None:
        """A step by its name; None while it has not started."""
        return next((step for step in self.steps if step.name == name), None)


class Execution:
    """Follows and stops one execution through a SageMaker client."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self.arn = arn

    def state(self) -> ExecutionState:
        """Ask now. Raises AwsError."""
        with explained("the execution's state"):
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
        """Its states, one every `interval` seconds, the last one when it has ended."""
        while True:
            state = self.state()
            yield state
            if state.ended:
                return
            sleep(interval)

    def stop(self) -> None:
        """Ask it to stop; running jobs are stopped too. Raises AwsError."""
        with explained("stopping the execution"):
            self._client.stop_pipeline_execution(
                PipelineExecutionArn=self.arn, ClientRequestToken=uuid.uuid4().hex
            )

    def retry(self) -> None:
        """Take a failed or stopped execution up where it ended. Raises AwsError."""
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
    """The ARN in a step's metadata, whatever its type."""
    for value in metadata.values():
        if isinstance(value, Mapping) and isinstance(value.get("Arn"), str):
            return str(value["Arn"])
    return ""


@dataclass(frozen=True)
class ListedExecution:
    """One execution as a list shows it."""

    pipeline: str
    arn: str
    status: str
    started: datetime

    @property
    def id(self) -> str:
        """The last part of the ARN: what a user types."""
        return self.arn.rsplit("/", 1)[-1]


def list_pipelines(client: Any) -> list[str]:
    """Names of all pipelines of the account and region. Raises AwsError."""
    with explained("the list of pipelines"):
        pages = client.get_paginator("list_pipelines").paginate()
        return [found["PipelineName"] for page in pages for found in page["PipelineSummaries"]]


def list_executions(client: Any, pipeline: str) -> Iterator[ListedExecution]:
    """Newest first. Raises AwsError."""
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
    """By its ARN or the last part of it; without `wanted`, the newest one.

    Raises AwsError when there is none, and says which there are.
    """
    names = [pipeline] if pipeline else list_pipelines(client)
    found = [one for name in names for one in list_executions(client, name)]
    found.sort(key=lambda one: one.started, reverse=True)
    for one in found:
        if wanted in (None, one.id, one.arn):
            return one
    what = f"execution {wanted}" if wanted else "an execution"
    known = ", ".join(one.id for one in found[:5])
    there = f"there are: {known}" if known else "there is none; `longspan run` starts one"
    raise AwsError(f"expected {what} of {', '.join(names) or 'a pipeline'}; {there}")
