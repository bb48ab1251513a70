"""The server's log: one JSON object a line, on standard output.

Users' texts are never in it unless LONGSPAN_LOG_TEXT is set.
"""

import contextlib
import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

__all__ = ["JsonFormatter", "ServerLog"]


def _now() -> datetime:
    return datetime.now(UTC)


class ServerLog:
    """Writes events to `stream` (default: standard output) with the time of `clock`."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], datetime] = _now) -> None:
        self._stream = stream
        self._clock = clock

    def write(self, event: str, level: str = "info", **fields: Any) -> None:
        """Write one line; fields that are None are left out.

        Errors of the stream are ignored, so that requests go on without a log.
        """
        stream = self._stream or sys.stdout
        with contextlib.suppress(OSError):
            print(_line(self._clock(), level, event, fields), file=stream, flush=True)

    def broke(self, event: str, error: BaseException, **fields: Any) -> None:
        """Write an unexpected error: its type and its traceback.

        Its message is left out, because it may contain a user's text.
        """
        where = "".join(traceback.format_tb(error.__traceback__))
        self.write(event, "error", error=type(error).__name__, where=where, **fields)


class JsonFormatter(logging.Formatter):
    """Formats the records of libraries in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        time = datetime.fromtimestamp(record.created, UTC)
        return _line(time, record.levelname.lower(), record.name, {"message": record.getMessage()})


def _line(time: datetime, level: str, event: str, fields: dict[str, Any]) -> str:
    content = {"time": time.isoformat(timespec="milliseconds"), "level": level, "event": event}
    content |= {name: value for name, value in fields.items() if value is not None}
    return json.dumps(content, ensure_ascii=False, default=str)
