"""Rows of a corpus file as every reader yields them, and reports of rows that cannot be read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["INVALID_UTF8", "MALFORMED", "Problem", "Report", "Row"]

MALFORMED = "malformed row"
INVALID_UTF8 = "invalid UTF-8"


class Row(NamedTuple):
    """Two texts as they are in the file, before any cleaning."""

    line: int  # from 1; in Parquet the number of the row
    source: str
    target: str
    document: str | None = None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that could not be read."""

    origin: str  # file:line
    rule: str  # MALFORMED or INVALID_UTF8
    detail: str  # what is wrong


# Called with a rule, the name of the file, the line, and what is wrong there.
Report = Callable[[str, str, int, str], None]
