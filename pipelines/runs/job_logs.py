"""Logs of jobs and endpoints, read from CloudWatch Logs.

https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from longspan.pipelines.cloud.aws_errors import AwsError, explained

__all__ = ["GROUPS", "read_log"]

# Log groups of the kinds of jobs. Each endpoint has a group of its own.
GROUPS = (
    "/aws/sagemaker/TrainingJobs",
    "/aws/sagemaker/ProcessingJobs",
    "/aws/sagemaker/TransformJobs",
)
_ENDPOINTS = "/aws/sagemaker/Endpoints/"


class _Stream(NamedTuple):
    """The log of one container."""

    group: str
    name: str


def read_log(
    logs: Any,
    name: str,
    *,
    follow: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Yield the lines of a job or endpoint, oldest first; of a tuning job, those of its trials.

    `logs` is a CloudWatch Logs client. With several streams (instances or trials), a line
    `==> STREAM <==` precedes the lines of each stream. The function waits for more lines while
    `follow()` is true. Raises AwsError if no job or endpoint of this name has written a log.
    """
    seen: dict[_Stream, str] = {}
    shown: _Stream | None = None
    while True:
        going_on = follow()  # called before reading, so that the last lines are read too
        with explained(f"the log of {name}"):
            streams = list(_streams(logs, name))
            for stream in streams:
                for line in _new_lines(logs, stream, seen):
                    if stream != shown and len(streams) > 1:
                        yield f"==> {stream.name} <=="
                    shown = stream
                    yield line
        if not going_on:
            if not streams:
                raise AwsError(
                    f"expected the name of a job or endpoint that has written a log, got {name}; "
                    "`longspan status` and `longspan endpoints` list them"
                )
            return
        sleep(1.0)


def _streams(logs: Any, name: str) -> Iterator[_Stream]:
    """Yield the streams of a job or endpoint; their names begin with the name of the job."""
    # Names that a tuning job gives its training jobs.
    tuned = re.compile(rf"{re.escape(name)}-\d{{3,}}-[0-9a-f]{{8}}/")
    for group in (*GROUPS, f"{_ENDPOINTS}{name}"):
        # The prefix also finds the trials of a tuning job, which belong to it, and jobs whose names
        # only begin alike, which do not. An endpoint's group has no streams but its own.
        prefix = {} if group.startswith(_ENDPOINTS) else {"logStreamNamePrefix": name}
        try:
            pages = logs.get_paginator("describe_log_streams").paginate(
                logGroupName=group, **prefix
            )
            for page in pages:
                for found in page["logStreams"]:
                    stream = str(found["logStreamName"])
                    if not prefix or stream.startswith(f"{name}/") or tuned.match(stream):
                        yield _Stream(group, stream)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise


def _new_lines(logs: Any, stream: _Stream, seen: dict[_Stream, str]) -> Iterator[str]:
    """Yield the lines after the token in `seen`, and store the next token there.

    At the end of a stream CloudWatch returns the same token again.
    """
    while True:
        token = {"nextToken": seen[stream]} if stream in seen else {}
        page = logs.get_log_events(
            logGroupName=stream.group, logStreamName=stream.name, startFromHead=True, **token
        )
        for event in page["events"]:
            yield event["message"]
        if seen.get(stream) == page["nextForwardToken"]:
            return
        seen[stream] = page["nextForwardToken"]
