"""What a container writes, line by line, into CloudWatch Logs.

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

# PutLogEvents: bytes of one event, and events and bytes of one batch, each event counting 26 more.
_EVENT_BYTES = 250_000
_BATCH_EVENTS = 10_000
_BATCH_BYTES = 1_000_000
_EVENT_OVERHEAD = 26


class LogTail:
    """Reads the complete lines that were appended to a file since the last time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def read(self) -> list[str]:
        """New lines, without those that are empty."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        return list(_texts(lines))

    def rest(self) -> list[str]:
        """What stands behind the last line end, when nothing more will come."""
        lines, self._rest = [self._rest], b""
        return list(_texts(lines))


def _texts(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        # A progress bar writes over its own line: what would be seen is the last of it.
        text = line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", "backslashreplace")
        if text.strip():
            yield text


class LogStream:
    """One container's stream. A role that may not write logs gets none, as on AWS."""

    def __init__(self, logs: Any, group: str, stream: str, now: Callable[[], float]) -> None:
        self._logs = logs
        self._place = {"logGroupName": group, "logStreamName": stream}
        self._now = now
        self._open = False
        self._denied = False

    def write(self, lines: Sequence[str]) -> None:
        """Append lines; all of it has the time of now."""
        if not lines or self._denied:
            return
        try:
            self._create()
            stamp = int(self._now() * 1000)
            for batch in _batches(lines):
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
    """A line, in parts where it is longer than an event may be."""
    characters = _EVENT_BYTES // 4  # of at most four bytes
    for start in range(0, len(line), characters):
        yield line[start : start + characters]


def log_file(base: Path) -> Path:
    """Where the runtime writes what the container of this base says."""
    return base / "log"


class HostLogs:
    """Of one job; a stream for each of its hosts, as `<job>/algo-1-<time>`."""

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

    def pump(self) -> list[str]:
        """Write the lines that are new; those lines."""
        return self._take(last=False)

    def finish(self) -> list[str]:
        """The same when nothing more will come: also a last line without an end."""
        return self._take(last=True)

    def _take(self, *, last: bool) -> list[str]:
        taken: list[str] = []
        for tail, stream in self._parts:
            lines = [*tail.read(), *(tail.rest() if last else ())]
            stream.write(lines)
            taken.extend(lines)
        return taken
