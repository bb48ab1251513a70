"""The executions of a pipeline: find them, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from longspan.pipelines.cloud.aws_errors import AwsError, explained

__all__ = ["Listed", "find_execution", "list_executions", "list_pipelines"]


@dataclass(frozen=True)
class Listed:
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


def list_executions(client: Any, pipeline: str) -> Iterator[Listed]:
    """Newest first. Raises AwsError."""
    with explained(f"the executions of {pipeline}"):
        pages = client.get_paginator("list_pipeline_executions").paginate(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending"
        )
        for page in pages:
            for found in page["PipelineExecutionSummaries"]:
                yield Listed(
                    pipeline=pipeline,
                    arn=found["PipelineExecutionArn"],
                    status=found["PipelineExecutionStatus"],
                    started=found["StartTime"],
                )


def find_execution(client: Any, wanted: str | None, pipeline: str | None = None) -> Listed:
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
