"""What a job or an endpoint wrote, from CloudWatch Logs.

https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from longspan.pipelines.aws_errors import AwsError, explained

__all__ = ["GROUPS", "read_log"]

# Where SageMaker writes, by what wrote it. An endpoint has a group of its own.
GROUPS = (
    "/aws/sagemaker/TrainingJobs",
    "/aws/sagemaker/ProcessingJobs",
    "/aws/sagemaker/TransformJobs",
)
_ENDPOINTS = "/aws/sagemaker/Endpoints/"


def read_log(
    logs: Any,
    name: str,
    *,
    follow: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """The lines of a job or endpoint in the order of their time, oldest first.

    `logs` is a CloudWatch Logs client. While `follow()` is true, waits for more. Raises AwsError
    when nothing by that name has written anything.
    """
    seen: dict[str, str] = {}
    while True:
        going_on = follow()  # asked before reading, so that the last lines are read too
        with explained(f"the log of {name}"):
            streams = list(_streams(logs, name))
            for group, stream in streams:
                yield from _new_lines(logs, group, stream, seen)
        if not going_on:
            if not streams:
                raise AwsError(
                    f"expected the name of a job or endpoint that has written a log, got {name}; "
                    "`longspan status` lists them"
                )
            return
        sleep(1.0)


def _streams(logs: Any, name: str) -> Iterator[tuple[str, str]]:
    for group in (*GROUPS, f"{_ENDPOINTS}{name}"):
        prefix = {} if group.startswith(_ENDPOINTS) else {"logStreamNamePrefix": f"{name}/"}
        try:
            pages = logs.get_paginator("describe_log_streams").paginate(
                logGroupName=group, **prefix
            )
            for page in pages:
                for stream in page["logStreams"]:
                    yield group, stream["logStreamName"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise


def _new_lines(logs: Any, group: str, stream: str, seen: dict[str, str]) -> Iterator[str]:
    """Lines after those that `seen` remembers; CloudWatch repeats a token at the end."""
    while True:
        token = {"nextToken": seen[stream]} if stream in seen else {}
        page = logs.get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=True, **token
        )
        for event in page["events"]:
            yield event["message"]
        if seen.get(stream) == page["nextForwardToken"]:
            return
        seen[stream] = page["nextForwardToken"]
