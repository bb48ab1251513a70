"""State of CloudWatch Logs: an index of groups and streams, and a file of events per stream.

Events that are too old for PutLogEvents (14 days) stay in their file, but are not restored.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.documents import load_json, save_json

__all__ = ["PersistedLogGroups"]

_BATCH = 1_000  # events per request, far below the API's limits


class PersistedLogGroups:
    """State of CloudWatch Logs; each region is a folder of `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # (region, group, stream) -> (stored bytes when it was saved, token of the next events)
        self._saved: dict[tuple[str, str, str], tuple[int, str]] = {}

    def restore(self, clients: Clients) -> None:
        """Create all groups with their streams and events."""
        for path in sorted(self._directory.glob("*/index.json")):
            region = path.parent.name
            logs = clients.in_region(region).client("logs")
            for group, saved in load_json(path).items():
                logs.create_log_group(logGroupName=group)
                if saved["retention"]:
                    logs.put_retention_policy(
                        logGroupName=group, retentionInDays=saved["retention"]
                    )
                for stream, name in saved["streams"].items():
                    place = {"logGroupName": group, "logStreamName": stream}
                    logs.create_log_stream(**place)
                    for batch in _batches(path.parent / name):
                        logs.put_log_events(**place, logEvents=batch)
                    # The token after the last restored event: new events begin there.
                    end = _append(io.StringIO(), logs, place, "")
                    self._saved[region, group, stream] = -1, end

    def save(self, clients: Clients, region: str) -> None:
        """Append new events to the files of their streams, and update the index."""
        logs = clients.in_region(region).client("logs")
        folder = self._directory / region
        index: dict[str, dict[str, Any]] = {
            group["logGroupName"]: {
                "retention": group.get("retentionInDays"),
                "streams": {
                    stream["logStreamName"]: self._save_stream(
                        logs, region, group["logGroupName"], stream
                    )
                    for stream in _pages(
                        logs, "log_streams", "logStreams", logGroupName=group["logGroupName"]
                    )
                },
            }
            for group in _pages(logs, "log_groups", "logGroups")
        }
        folder.mkdir(parents=True, exist_ok=True)
        if index != load_json(folder / "index.json"):
            save_json(folder / "index.json", index)
        named = {name for saved in index.values() for name in saved["streams"].values()}
        for path in folder.glob("*.jsonl"):
            if path.name not in named:
                path.unlink()
        self._forget(region, index)

    def _save_stream(self, logs: Any, region: str, group: str, stream: Mapping[str, Any]) -> str:
        """Append new events of a stream to its file; return the file's name."""
        name = stream["logStreamName"]
        key = region, group, name
        file = f"{hashlib.sha256(f'{group} {name}'.encode()).hexdigest()[:32]}.jsonl"
        size, token = self._saved.get(key, (-1, ""))
        if stream.get("storedBytes", 0) != size:  # its size grows with each event
            path = self._directory / region / file
            path.parent.mkdir(parents=True, exist_ok=True)
            place = {"logGroupName": group, "logStreamName": name}
            # Truncate for a new stream: it may have the name of a deleted one.
            with path.open("a" if token else "w", encoding="utf-8") as saved:
                token = _append(saved, logs, place, token)
            self._saved[key] = stream.get("storedBytes", 0), token
        return file

    def _forget(self, region: str, index: Mapping[str, Any]) -> None:
        """Forget the positions in streams that were deleted."""
        self._saved = {
            (place, group, stream): saved
            for (place, group, stream), saved in self._saved.items()
            if place != region or stream in index.get(group, {"streams": ()})["streams"]
        }


def _pages(logs: Any, what: str, member: str, **request: str) -> Iterator[Mapping[str, Any]]:
    for page in logs.get_paginator(f"describe_{what}").paginate(**request):
        yield from page[member]


def _append(saved: IO[str], logs: Any, place: Mapping[str, str], token: str) -> str:
    """Write the events after `token`; return the token of the next events."""
    while True:
        further = {"nextToken": token} if token else {}
        answer = logs.get_log_events(**place, startFromHead=True, **further)
        token = answer["nextForwardToken"]
        # The token of an empty page stays valid: later events follow it.
        if not answer["events"]:
            return str(token)
        for event in answer["events"]:
            line = {"timestamp": event["timestamp"], "message": event["message"]}
            saved.write(json.dumps(line, ensure_ascii=False) + "\n")


def _batches(path: Path) -> Iterator[list[Mapping[str, Any]]]:
    batch = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):  # a crash may have cut the last line
                batch.append(json.loads(line))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch
