"""What every reader yields and reports: one row of a corpus file, before any cleaning."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["INVALID_UTF8", "MALFORMED", "Problem", "Report", "Row"]

MALFORMED = "malformed row"
INVALID_UTF8 = "invalid UTF-8"


class Row(NamedTuple):
    """Two sides as they stand in the file; `line` counts from 1 (Parquet: rows, TMX: lines)."""

    line: int
    source: str
    target: str
    document: str | None = None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that could not be read: where (file:line), by which rule, and what was wrong."""

    origin: str
    rule: str
    detail: str


# Called with a rule, the file's name, the line and what was wrong there.
Report = Callable[[str, str, int, str], None]
