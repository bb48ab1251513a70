"""Cached results of steps from earlier executions.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from longspan.infra.local.control.api import Document
from longspan.infra.local.control.documents import Documents
from longspan.infra.local.pipeline.definition.definition import PipelineStep
from longspan.infra.local.pipeline.definition.resources import StepResource
from longspan.infra.local.pipeline.execution.records import EXECUTION

__all__ = ["cache_key", "earlier_result"]


def cache_key(step: PipelineStep, resource: StepResource, arguments: Mapping[str, Any]) -> str:
    """Return a hash of a step's type, name, and the arguments that count for its type."""
    counted = {
        member: _part(arguments[member], parts)
        for member, parts in (resource.cached or dict.fromkeys(arguments, ())).items()
        if arguments.get(member) is not None
    }
    text = json.dumps([step.type, step.name, counted], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _part(value: Any, parts: tuple[str, ...]) -> Any:
    # Of a TrainingJobDefinition, for example, limits and machines do not count.
    return {part: value.get(part) for part in parts} if parts else value


def earlier_result(
    documents: Documents, region: str, pipeline: str, key: str, since: float
) -> tuple[str, Document] | None:
    """Return the newest successful run with a key, ended after `since`: its execution and record.

    Cached results do not count, because only the age of the original run matters.
    """
    found = [
        (document["PipelineExecutionArn"], record)
        for _, document in documents.of(EXECUTION, region)
        if document["PipelineArn"] == pipeline
        for record in document["_Steps"].values()
        if record.get("_Key") == key
        and record["StepStatus"] == "Succeeded"
        and record["EndTime"] >= since
        and not record.get("CacheHitResult")
        and not record.get("SelectiveExecutionResult")
    ]
    return max(found, key=lambda item: float(item[1]["EndTime"]), default=None)
