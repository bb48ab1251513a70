"""The bill of an execution: cost of the seconds for which its jobs are billed.

SageMaker's billable seconds of a training job are fewer on spot machines:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html. A processing job
is billed from its start to its end. Prices come from the table in `estimate/prices.py`, so AWS's
own bill may differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from longspan.pipelines.cloud.aws_errors import explained
from longspan.pipelines.estimate.prices import VOLUME_HOUR, UnknownPriceError, price_of
from longspan.pipelines.runs.execution import ExecutionState, StepState

__all__ = ["Bill", "BilledStep", "bill"]

_TUNING = ":hyper-parameter-tuning-job/"
_TRAINING = ":training-job/"
_PROCESSING = ":processing-job/"


@dataclass(frozen=True)
class BilledStep:
    """One step: its number of jobs, and their billed machine hours on one type of machine.

    `saved_hours` ran on spot machines without being billed. `dollars` is None without a price.
    """

    name: str
    jobs: int
    machine: str
    hours: float
    saved_hours: float
    dollars: float | None


@dataclass(frozen=True)
class Bill:
    """The billed steps of one execution. Cached steps cost nothing and are left out."""

    steps: tuple[BilledStep, ...]

    @property
    def dollars(self) -> float:
        """Sum over the steps whose machine has a price."""
        return sum(step.dollars or 0.0 for step in self.steps)

    @property
    def missing(self) -> tuple[str, ...]:
        """Types of machines without a price."""
        return tuple(sorted({step.machine for step in self.steps if step.dollars is None}))


@dataclass(frozen=True)
class _Job:
    machine: str
    machines: int
    volume_gb: int
    seconds: float  # billed seconds of each machine
    worked: float  # seconds that each machine ran


def bill(sagemaker: Any, state: ExecutionState, prices: Mapping[str, float], now: datetime) -> Bill:
    """Return the bill of an execution; jobs that still run are billed until `now`.

    `prices` are dollars per hour by machine type and replace the table's. Raises AwsError.
    """
    with explained("what the jobs were billed for"):
        found = [(step, list(_jobs(sagemaker, step, now))) for step in _own(state)]
    return Bill(tuple(_billed(step.name, jobs, prices) for step, jobs in found if jobs))


def _own(state: ExecutionState) -> Iterator[StepState]:
    """Return the steps with a job that this execution started itself."""
    return (step for step in state.steps if step.job and not step.cached)


def _jobs(sagemaker: Any, step: StepState, now: datetime) -> Iterator[_Job]:
    if _TUNING in step.resource:
        pages = sagemaker.get_paginator(
            "list_training_jobs_for_hyper_parameter_tuning_job"
        ).paginate(HyperParameterTuningJobName=step.job)
        for page in pages:
            for summary in page["TrainingJobSummaries"]:
                yield _training(sagemaker, summary["TrainingJobName"], now)
    elif _TRAINING in step.resource:
        yield _training(sagemaker, step.job, now)
    elif _PROCESSING in step.resource:
        yield _processing(sagemaker, step.job, now)


def _training(sagemaker: Any, name: str, now: datetime) -> _Job:
    job = sagemaker.describe_training_job(TrainingJobName=name)
    resources = job["ResourceConfig"]
    worked = _seconds(job.get("TrainingStartTime"), job.get("TrainingEndTime"), now)
    # While a job runs, this member may be absent: then the time so far counts.
    worked = float(job.get("TrainingTimeInSeconds", worked))
    return _Job(
        resources["InstanceType"],
        resources["InstanceCount"],
        resources["VolumeSizeInGB"],
        float(job.get("BillableTimeInSeconds", worked)),
        worked,
    )


def _processing(sagemaker: Any, name: str, now: datetime) -> _Job:
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    cluster = job["ProcessingResources"]["ClusterConfig"]
    seconds = _seconds(job.get("ProcessingStartTime"), job.get("ProcessingEndTime"), now)
    return _Job(
        cluster["InstanceType"],
        cluster["InstanceCount"],
        cluster["VolumeSizeInGB"],
        seconds,
        seconds,
    )


def _seconds(start: datetime | None, end: datetime | None, now: datetime) -> float:
    return 0.0 if start is None else ((end or now) - start).total_seconds()


def _billed(name: str, jobs: list[_Job], prices: Mapping[str, float]) -> BilledStep:
    """Sum up the jobs of one step, which all have the same type of machine."""
    hours = sum(job.seconds * job.machines for job in jobs) / 3600
    worked = sum(job.worked * job.machines for job in jobs) / 3600
    try:
        machine = price_of(jobs[0].machine, prices)
        # Disks are paid for all the time, machines only for billed seconds.
        disks = sum(job.worked * job.machines * job.volume_gb for job in jobs) / 3600
        dollars: float | None = hours * machine + disks * VOLUME_HOUR
    except UnknownPriceError:
        dollars = None
    return BilledStep(name, len(jobs), jobs[0].machine, hours, max(0.0, worked - hours), dollars)
