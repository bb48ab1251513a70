"""JSON values: strict reading, and names for messages."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from longspan.inference.refusals import BadRequest, TooLong

__all__ = [
    "check_size",
    "expect_object",
    "expect_text",
    "kind_of",
    "names_of",
    "parse_json_value",
    "short_repr",
]

# A whole string, even without its end, or a character that stands before a value or a name.
# Possessive (`*+`): the search never goes back, so a hostile string takes no longer.
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{:,]', re.DOTALL)
# More of these than a text with all options has.
_MARKS_A_TEXT = 64
_SMALL = 1 << 20  # characters


def parse_json_value(text: str, where: str) -> Any:
    """Parse JSON.

    Raises BadRequest, which begins with `where`, for text that is not JSON, for a name that occurs
    twice in an object, and for NaN and Infinity.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise BadRequest(f"{where}: expected JSON, got one that is nested too deep") from None
    except ValueError as error:
        raise BadRequest(f"{where}: expected JSON, got something else: {error}") from None


def check_size(text: str, most_texts: int) -> None:
    """Check the number of values in a large body before it is parsed.

    Raises TooLong for more values than `most_texts` texts can have: parsed, they would take a
    hundred times the memory of the body.
    """
    if len(text) <= _SMALL:
        return
    most = _MARKS_A_TEXT * most_texts
    for count, _ in enumerate(_MARK.finditer(text)):
        if count > most:
            raise TooLong(
                f"request: expected at most {most_texts:,} texts, got far more JSON values than "
                "they have; send them in several requests"
            )


def expect_object(value: Any, where: str) -> dict[str, Any]:
    """Return `value`. Raises BadRequest unless it is a JSON object."""
    if not isinstance(value, dict):
        raise BadRequest(f"{where}: expected a JSON object, got {kind_of(value)}")
    return value


def expect_text(value: Any, where: str) -> str:
    """Return `value`. Raises BadRequest unless it is a string."""
    if not isinstance(value, str):
        raise BadRequest(f"{where}: expected a string, got {kind_of(value)}")
    return value


def kind_of(value: Any) -> str:
    """Return the kind of a value in words, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    for kind, name in ((str, "a string"), (list, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    return "a number"


def names_of(content: Mapping[str, Any]) -> str:
    """Return the first names of an object, for messages."""
    return ", ".join(short_repr(name) for name in list(content)[:5]) or "an empty object"


def short_repr(value: Any) -> str:
    """Return a value as text of at most 60 characters, for messages."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Raises ValueError for a name that occurs twice."""
    content = dict(pairs)
    # The dict has kept the last of equal names.
    if len(content) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{short_repr(twice)} occurs twice")
    return content


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")
