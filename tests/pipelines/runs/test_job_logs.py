"""What `longspan logs` reads, from CloudWatch Logs of a local cloud."""

import time
import uuid
from typing import Any

import pytest

from longspan.pipelines.cloud.aws_errors import AwsError
from longspan.pipelines.runs.job_logs import GROUPS, read_log

TRAINING = GROUPS[0]


@pytest.fixture(scope="module")
def logs(tiny_cloud: Any) -> Any:
    client = tiny_cloud.client("logs")
    for group in GROUPS:
        client.create_log_group(logGroupName=group)
    return client


def write(logs: Any, stream: str, *lines: str, group: str = TRAINING) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = round(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def name() -> str:
    return f"job-{uuid.uuid4().hex[:8]}"


def test_one_streams_lines_are_all_there_is(logs: Any) -> None:
    job = name()
    write(logs, f"{job}/algo-1-1", "one", "two")
    write(logs, f"{job}-2/algo-1-1", "another job's")
    assert list(read_log(logs, job)) == ["one", "two"]


def test_several_instances_are_told_apart(logs: Any) -> None:
    job = name()
    write(logs, f"{job}/algo-1-1", "one")
    write(logs, f"{job}/algo-2-1", "two")
    assert list(read_log(logs, job)) == [
        f"==> {job}/algo-1-1 <==",
        "one",
        f"==> {job}/algo-2-1 <==",
        "two",
    ]


def test_a_tuning_jobs_lines_are_those_of_its_training_jobs(logs: Any) -> None:
    job = name()
    write(logs, f"{job}-001-0123abcd/algo-1-1", "one")
    write(logs, f"{job}-002-0123abcd/algo-1-1", "two")
    write(logs, f"{job}-other/algo-1-1", "another job's")
    lines = list(read_log(logs, job))
    assert [line for line in lines if not line.startswith("==>")] == ["one", "two"]


def test_jobs_of_two_kinds_may_have_one_name(logs: Any) -> None:
    job = name()
    write(logs, f"{job}/algo-1-1", "trained")
    write(logs, f"{job}/algo-1-1", "prepared", group=GROUPS[1])
    lines = list(read_log(logs, job))
    assert [line for line in lines if not line.startswith("==>")] == ["trained", "prepared"]


def test_following_shows_what_is_written_meanwhile_once(logs: Any) -> None:
    job = name()
    write(logs, f"{job}/algo-1-1", "one")
    asked = iter([True, False])
    lines = read_log(
        logs,
        job,
        follow=lambda: next(asked),
        sleep=lambda _: write(logs, f"{job}/algo-2-1", "two"),
    )
    assert list(lines) == ["one", f"==> {job}/algo-2-1 <==", "two"]


def test_what_has_written_nothing_is_an_error(logs: Any) -> None:
    with pytest.raises(AwsError, match="got nobody"):
        list(read_log(logs, "nobody"))
