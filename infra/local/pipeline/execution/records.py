"""The documents of executions, and in them the records of their steps.

Members that begin with `_` are ours; answers leave them out. `_Steps` has a record for each step
that was started, or that was taken from another execution.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from longspan.infra.local.control.api import Document
from longspan.infra.local.control.documents import Key
from longspan.infra.local.pipeline.definition.definition import PipelineStep

__all__ = [
    "EXECUTION",
    "EXECUTION_ENDED",
    "EXECUTION_STATUS",
    "PIPELINE",
    "PIPELINE_VERSION",
    "STEP_ENDED",
    "abandon",
    "execution_key",
    "new_record",
    "public",
    "version_key",
]

PIPELINE, PIPELINE_VERSION, EXECUTION = "pipeline", "pipeline-version", "pipeline-execution"
EXECUTION_STATUS = "PipelineExecutionStatus"
EXECUTION_ENDED = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})
STEP_ENDED = frozenset({"Succeeded", "Failed", "Stopped"})


def execution_key(region: str, arn: str) -> Key:
    """By the id, the last part of the ARN."""
    return Key(EXECUTION, region, arn.rsplit("/", 1)[-1])


def version_key(region: str, pipeline: str, version: int) -> Key:
    """Of one version of a pipeline's definition."""
    return Key(PIPELINE_VERSION, region, f"{pipeline}/{version}")


def new_record(step: PipelineStep, number: int, now: float) -> Document:
    """Of a step that starts as the execution's `number`-th."""
    return {
        "StepName": step.name,
        "StepDisplayName": step.display_name,
        "StepDescription": step.description,
        "StepStatus": "Starting",
        "StartTime": now,
        "AttemptCount": 0,
        "_Number": number,
        "_Type": step.type,
        "_Properties": {},
    }


def abandon(document: Document, reason: str, now: float) -> None:
    """What ran does not any more, with the local cloud: the execution has failed."""
    for record in document["_Steps"].values():
        if record["StepStatus"] not in STEP_ENDED:
            record.update(StepStatus="Failed", FailureReason=reason, EndTime=now)
    document.update({EXECUTION_STATUS: "Failed", "FailureReason": reason, "LastModifiedTime": now})


def public(records: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Without our own members, and without those that have no value."""
    return [
        {
            name: value
            for name, value in record.items()
            if not name.startswith("_") and value is not None
        }
        for record in records
    ]
