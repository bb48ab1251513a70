"""Log groups, streams and events after a restart."""

import time
from pathlib import Path
from typing import Any

from longspan.infra.local.moto.persisted.log_groups import PersistedLogGroups
from tests.infra.local.moto.persisted.conftest import REGION, Moto

NOW = int(time.time() * 1000)


def write(logs: Any, group: str, stream: str, *messages: str, at: int = NOW) -> None:
    events = [
        {"timestamp": at + number, "message": message} for number, message in enumerate(messages)
    ]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def read(logs: Any, group: str, stream: str) -> list[tuple[int, str]]:
    answer = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    return [(event["timestamp"], event["message"]) for event in answer["events"]]


def create(logs: Any, group: str, *streams: str) -> None:
    logs.create_log_group(logGroupName=group)
    for stream in streams:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)


def test_events_are_appended_and_come_back_once(moto: Moto, tmp_path: Path) -> None:
    logs = moto.clients.in_region(REGION).client("logs")
    create(logs, "/aws/sagemaker/TrainingJobs", "job/a", "job/empty")
    logs.put_retention_policy(logGroupName="/aws/sagemaker/TrainingJobs", retentionInDays=7)
    group = "/aws/sagemaker/TrainingJobs"
    kept = PersistedLogGroups(tmp_path)
    expected = []
    for number in range(3):
        messages = [f"{number} ü\n\u2028 {n}" for n in range(2)]
        write(logs, group, "job/a", *messages, at=NOW + 10 * number)
        expected += [(NOW + 10 * number + n, message) for n, message in enumerate(messages)]
        kept.save(moto.clients, REGION)
        kept.save(moto.clients, REGION)  # with nothing new

    for _ in range(2):
        moto.forget()
        kept = PersistedLogGroups(tmp_path)
        kept.restore(moto.clients)
        assert read(logs, group, "job/a") == expected
        assert read(logs, group, "job/empty") == []
        (found,) = logs.describe_log_groups()["logGroups"]
        assert found["retentionInDays"] == 7
        write(logs, group, "job/a", "more", at=expected[-1][0] + 1)
        expected.append((expected[-1][0] + 1, "more"))
        kept.save(moto.clients, REGION)


def test_many_events_come_back(moto: Moto, tmp_path: Path) -> None:
    logs = moto.clients.in_region(REGION).client("logs")
    create(logs, "g", "s")
    for batch in range(3):
        write(logs, "g", "s", *map(str, range(900)), at=NOW + 1000 * batch)
    PersistedLogGroups(tmp_path).save(moto.clients, REGION)
    moto.forget()
    PersistedLogGroups(tmp_path).restore(moto.clients)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="g")
    assert sum(len(page["events"]) for page in pages) == 2700


def test_what_was_deleted_is_gone_and_its_name_can_be_used_again(
    moto: Moto, tmp_path: Path
) -> None:
    logs = moto.clients.in_region(REGION).client("logs")
    create(logs, "g", "old", "again")
    create(logs, "gone", "s")
    for group, stream in (("g", "old"), ("g", "again"), ("gone", "s")):
        write(logs, group, stream, "before")
    kept = PersistedLogGroups(tmp_path)
    kept.save(moto.clients, REGION)
    assert len(list(tmp_path.rglob("*.jsonl"))) == 3
    logs.delete_log_group(logGroupName="gone")
    for stream in ("old", "again"):
        logs.delete_log_stream(logGroupName="g", logStreamName=stream)
    kept.save(moto.clients, REGION)
    assert not list(tmp_path.rglob("*.jsonl"))
    logs.create_log_stream(logGroupName="g", logStreamName="again")
    write(logs, "g", "again", "after")
    kept.save(moto.clients, REGION)
    moto.forget()
    PersistedLogGroups(tmp_path).restore(moto.clients)
    assert read(logs, "g", "again") == [(NOW, "after")]
    assert [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]] == ["g"]


def test_a_line_that_was_cut_off_is_left_out(moto: Moto, tmp_path: Path) -> None:
    logs = moto.clients.in_region(REGION).client("logs")
    create(logs, "g", "s")
    write(logs, "g", "s", "whole")
    PersistedLogGroups(tmp_path).save(moto.clients, REGION)
    (path,) = tmp_path.rglob("*.jsonl")
    with path.open("a") as file:
        file.write('{"timestamp": 1, "mess')
    moto.forget()
    PersistedLogGroups(tmp_path).restore(moto.clients)
    assert read(logs, "g", "s") == [(NOW, "whole")]


def test_old_events_do_not_hinder_the_others(moto: Moto, tmp_path: Path) -> None:
    """PutLogEvents refuses what is older than 14 days; the file keeps it."""
    logs = moto.clients.in_region(REGION).client("logs")
    create(logs, "g", "s")
    write(logs, "g", "s", "new")
    PersistedLogGroups(tmp_path).save(moto.clients, REGION)
    (path,) = tmp_path.rglob("*.jsonl")
    old = NOW - 20 * 24 * 3600 * 1000
    path.write_text(f'{{"timestamp": {old}, "message": "old"}}\n' + path.read_text())
    moto.forget()
    PersistedLogGroups(tmp_path).restore(moto.clients)
    assert (NOW, "new") in read(logs, "g", "s")


def test_regions_are_apart(moto: Moto, tmp_path: Path) -> None:
    for region in ("us-east-1", "eu-west-1"):
        logs = moto.clients.in_region(region).client("logs")
        create(logs, "g", "s")
        write(logs, "g", "s", region)
        PersistedLogGroups(tmp_path).save(moto.clients, region)
    moto.forget()
    PersistedLogGroups(tmp_path).restore(moto.clients)
    for region in ("us-east-1", "eu-west-1"):
        logs = moto.clients.in_region(region).client("logs")
        assert read(logs, "g", "s") == [(NOW, region)]
