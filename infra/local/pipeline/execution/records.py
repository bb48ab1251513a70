"""Documents of executions, which contain the records of their steps.

Members that begin with `_` are internal, and not part of answers. `_Steps` has a record for each
step that was started, or that was copied from another execution.
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
    """Return the key of an execution, whose name is the last part of its ARN."""
    return Key(EXECUTION, region, arn.rsplit("/", 1)[-1])


def version_key(region: str, pipeline: str, version: int) -> Key:
    """Return the key of one version of a pipeline's definition."""
    return Key(PIPELINE_VERSION, region, f"{pipeline}/{version}")


def new_record(step: PipelineStep, number: int, now: float) -> Document:
    """Return the record of a step that starts as the execution's `number`-th."""
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
    """Set the status Failed of an execution and of its running steps."""
    for record in document["_Steps"].values():
        if record["StepStatus"] not in STEP_ENDED:
            record.update(StepStatus="Failed", FailureReason=reason, EndTime=now)
    document.update({EXECUTION_STATUS: "Failed", "FailureReason": reason, "LastModifiedTime": now})


def public(records: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Return records without internal members and without empty ones."""
    return [
        {
            name: value
            for name, value in record.items()
            if not name.startswith("_") and value is not None
        }
        for record in records
    ]
