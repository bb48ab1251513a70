"""The server's log: one JSON object a line, on standard output. Never a user's text by itself."""

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
    """Writes events; `clock` gives their time."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], datetime] = _now) -> None:
        self._stream = stream
        self._clock = clock

    def write(self, event: str, level: str = "info", **fields: Any) -> None:
        """One line; fields that are None are left out. Requests go on where nobody can read it."""
        stream = self._stream or sys.stdout
        with contextlib.suppress(OSError):
            print(_line(self._clock(), level, event, fields), file=stream, flush=True)

    def broke(self, event: str, error: BaseException, **fields: Any) -> None:
        """An error that nobody foresaw: where, and its type. Its message may hold a text."""
        where = "".join(traceback.format_tb(error.__traceback__))
        self.write(event, "error", error=type(error).__name__, where=where, **fields)


class JsonFormatter(logging.Formatter):
    """What libraries log, in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, UTC)
        return _line(time, record.levelname.lower(), record.name, {"message": record.getMessage()})


def _line(time: datetime, level: str, event: str, fields: dict[str, Any]) -> str:
    content = {"time": time.isoformat(timespec="milliseconds"), "level": level, "event": event}
    content |= {name: value for name, value in fields.items() if value is not None}
    return json.dumps(content, ensure_ascii=False, default=str)
