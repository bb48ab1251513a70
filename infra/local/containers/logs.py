"""Logs of containers: read from their files, and written to CloudWatch Logs line by line.

https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.context import Context

__all__ = ["HostLogs", "LogStream", "LogTail", "log_file"]

# Limits of PutLogEvents: bytes of an event, events and bytes of a batch, overhead of each event.
_EVENT_BYTES = 250_000
_BATCH_EVENTS = 10_000
_BATCH_BYTES = 1_000_000
_EVENT_OVERHEAD = 26


class LogTail:
    """Reader of the complete lines that were appended to a file since the last call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def read(self) -> list[str]:
        """Return the new lines, except empty ones."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
        except FileNotFoundError:
            return []
        # Counted in bytes: a character may still be incomplete at the end of what was read.
        self._offset += len(new)
        # The part after the last line end waits for the rest of its line.
        *lines, self._rest = (self._rest + new).split(b"\n")
        return list(_texts(lines))

    def rest(self) -> list[str]:
        """Return the last line without a line end, when the file is complete."""
        lines, self._rest = [self._rest], b""
        return list(_texts(lines))


def _texts(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        # A progress bar overwrites its line by carriage returns: keep what a terminal would show.
        text = line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", "backslashreplace")
        if text.strip():
            yield text


class LogStream:
    """Log stream of one container. Without permission to write, logs are lost, as on AWS."""

    def __init__(self, logs: Any, group: str, stream: str, now: Callable[[], float]) -> None:
        self._logs = logs
        self._place = {"logGroupName": group, "logStreamName": stream}
        self._now = now
        self._open = False
        self._denied = False

    def write(self, lines: Sequence[str]) -> None:
        """Append lines with the present time."""
        if not lines or self._denied:
            return
        try:
            self._create()
            stamp = int(self._now() * 1000)
            for batch in _batches(lines):
                # One timestamp for all: PutLogEvents demands chronological order within a batch.
                events = [{"timestamp": stamp, "message": line} for line in batch]
                self._logs.put_log_events(**self._place, logEvents=events)
        except (ClientError, BotoCoreError) as error:
            self._denied = True
            logging.getLogger(__name__).warning("no logs in %s: %s", self._place, error)

    def _create(self) -> None:
        if self._open:
            return
        exists = self._logs.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(exists):
            self._logs.create_log_group(logGroupName=self._place["logGroupName"])
        with contextlib.suppress(exists):
            self._logs.create_log_stream(**self._place)
        self._open = True


def _batches(lines: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for event in (event for line in lines for event in _events(line)):
        weight = len(event.encode()) + _EVENT_OVERHEAD
        if batch and (len(batch) == _BATCH_EVENTS or size + weight > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += weight
    if batch:
        yield batch


def _events(line: str) -> Iterator[str]:
    """Yield a line, in parts if it is longer than an event may be."""
    characters = _EVENT_BYTES // 4  # a character has at most four bytes in UTF-8
    for start in range(0, len(line), characters):
        yield line[start : start + characters]


def log_file(base: Path) -> Path:
    """Return the file for the output of a container, by its base folder."""
    return base / "log"


class HostLogs:
    """Logs of one job, with a stream for each of its hosts: `<job>/algo-1-<time>`."""

    def __init__(
        self, context: Context, clients: RoleClients, group: str, job: str, bases: Sequence[Path]
    ) -> None:
        stamp = int(context.now())
        logs = clients.client("logs")
        self._parts = [
            (
                LogTail(log_file(base)),
                LogStream(logs, group, f"{job}/algo-{number}-{stamp}", context.now),
            )
            for number, base in enumerate(bases, 1)
        ]

    def copy(self) -> list[str]:
        """Write the new lines, and return them."""
        return self._take(last=False)

    def finish(self) -> list[str]:
        """Write the rest, with a last line without a line end, and return it."""
        return self._take(last=True)

    def _take(self, *, last: bool) -> list[str]:
        taken: list[str] = []
        for tail, stream in self._parts:
            lines = [*tail.read(), *(tail.rest() if last else ())]
            stream.write(lines)
            taken.extend(lines)
        return taken
