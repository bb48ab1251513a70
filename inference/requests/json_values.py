"""JSON values: read so that nothing gets lost, and kind_of as in messages."""

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
    "load_json",
    "names_of",
    "short_repr",
]

# A string as a whole, even without an end, or what stands before a value or a name.
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{:,]', re.DOTALL)
# Marks that a text has with every option there is, and more.
_MARKS_A_TEXT = 64
_SMALL = 1 << 20


def load_json(text: str, where: str) -> Any:
    """The value. Raises BadRequest, beginning with `where`, for what is no JSON, a name that is
    given twice, and numbers that JSON does not have."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise BadRequest(f"{where}: expected JSON, came one nested too deep") from None
    except ValueError as error:
        raise BadRequest(f"{where}: expected JSON, came something else: {error}") from None


def check_size(text: str, most_texts: int) -> None:
    """Raises TooLong, before it is read, for a large body of more values than so many texts have:
    read, it would take a hundred times its memory."""
    if len(text) <= _SMALL:
        return
    most = _MARKS_A_TEXT * most_texts
    for count, _ in enumerate(_MARK.finditer(text)):
        if count > most:
            raise TooLong(
                f"request: expected at most {most_texts:,} texts, came far more JSON values than "
                "they have: send them in several requests"
            )


def expect_object(value: Any, where: str) -> dict[str, Any]:
    """`value` itself. Raises BadRequest where it is no JSON object."""
    if not isinstance(value, dict):
        raise BadRequest(f"{where}: expected a JSON object, came {kind_of(value)}")
    return value


def expect_text(value: Any, where: str) -> str:
    """`value` itself. Raises BadRequest where it is no string."""
    if not isinstance(value, str):
        raise BadRequest(f"{where}: expected a string, came {kind_of(value)}")
    return value


def kind_of(value: Any) -> str:
    """What kind of value it is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    for kind, name in ((str, "a string"), (list, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    return "a number"


def names_of(content: Mapping[str, Any]) -> str:
    """The first names of an object."""
    return ", ".join(short_repr(name) for name in list(content)[:5]) or "an empty object"


def short_repr(value: Any) -> str:
    """A value, cut where it is long."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that comes twice would lose a value in silence."""
    content = dict(pairs)
    if len(content) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{short_repr(twice)} is given twice")
    return content


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")
