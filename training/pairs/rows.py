"""Rows of a corpus file as every reader yields them, and reports of rows that cannot be read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from longspan.training.pairs.columns import Places

__all__ = [
    "INVALID_UTF8",
    "MALFORMED",
    "NO_STRINGS",
    "TRUE",
    "UNTRANSLATED",
    "Problem",
    "Report",
    "Row",
    "checked_row",
    "decode",
    "is_blank",
    "one_line",
]

MALFORMED = "malformed row"
INVALID_UTF8 = "invalid UTF-8"
UNTRANSLATED = "untranslated"

# Values of the column `joined` for a joined pair.
TRUE = ("1", "true", "yes")
NO_STRINGS = "has no string as source or target"

# Unicode's Default_Ignorable_Code_Point, the empty pattern of Braille, and white space.
_INVISIBLE = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)


class Row(NamedTuple):
    """Two texts as they are in the file, before any cleaning."""

    line: int  # from 1; the number of the row where a file has no lines
    source: str
    target: str
    document: str | None = None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that could not be read."""

    origin: str  # file:line
    rule: str  # MALFORMED, INVALID_UTF8 or UNTRANSLATED
    detail: str  # what is wrong


# Called with a rule, the name of the file, the line, and what is wrong there.
Report = Callable[[str, str, int, str], None]


def is_blank(text: str) -> bool:
    """Return whether a text shows nothing: white space, controls, characters without a shape."""
    return _INVISIBLE.fullmatch(text) is not None


def checked_row(number: int, fields: list[Any], places: Places) -> Row | None:
    """Return a row of values of any type; None unless source and target are strings."""
    source, target = fields[places.source], fields[places.target]
    if not isinstance(source, str) or not isinstance(target, str):
        return None
    document = fields[places.document] if places.document is not None else None
    joined = fields[places.joined] if places.joined is not None else None
    return Row(
        number,
        source,
        target,
        None if document is None else str(document),
        str(joined).strip().lower() in TRUE,
    )


def one_line(text: str) -> str:
    """Return a text whose line breaks are spaces."""
    if "\n" not in text:
        return text
    return " ".join(part.strip() for part in text.split("\n")).strip()


def decode(line: bytes, name: str, number: int, report: Report) -> str | None:
    """Return the text of UTF-8, or report the first wrong byte and return None."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} is 0x{line[error.start]:02x}"
        report(INVALID_UTF8, name, number, detail)
        return None
