"""Paths into JSON, in the form of `Get` and `Std:JsonGet`: `Outputs['report'].S3Output.S3Uri`.

A name may also index a list: it selects the element with this name, as in
`ProcessingOutputConfig.Outputs['report']`.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

__all__ = ["Path", "Unresolved", "look_up", "parse_path"]

Path: TypeAlias = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""(?P<dotted>[^.\[\]'"]+)
    | \[(?P<index>\d+)\]
    | \[(?P<quote>['"])(?P<name>.*?)(?P=quote)\]""",
    re.VERBOSE | re.DOTALL,
)
# Members that are names of elements of a list.
_NAMES = ("OutputName", "InputName", "ChannelName", "VariantName", "MetricName", "Name")


class Unresolved(LookupError):
    """A path does not exist in a value; the text names the first missing part."""


def parse_path(text: str) -> Path:
    """Return the parts of a path; a leading `$.` (JSONPath) is ignored. Raises ValueError."""
    rest = text.removeprefix("$").removeprefix(".") if text.startswith("$") else text
    path: list[str | int] = []
    position = 0
    while position < len(rest):
        # Only the first name has no dot before it.
        if path and rest[position] == ".":
            position += 1
            found = _TOKEN.match(rest, position)
            if found is None or found["dotted"] is None:
                raise ValueError(f"expected a name after a dot in {text!r}")
        else:
            found = _TOKEN.match(rest, position)
            if found is None or (path and found["dotted"] is not None):
                raise ValueError(f"expected .name, [0] or ['name'] at {rest[position:]!r}")
        path.append(_token(found))
        position = found.end()
    if not path:
        raise ValueError(f"expected a path, got {text!r}")
    return tuple(path)


def _token(found: "re.Match[str]") -> str | int:
    if found["index"] is not None:
        return int(found["index"])
    return str(found["dotted"] if found["dotted"] is not None else found["name"])


def look_up(value: Any, path: Path) -> Any:
    """Return the value at a path. Raises Unresolved."""
    for number, token in enumerate(path):
        value = _member(value, token, path[: number + 1])
    return value


def _member(value: Any, token: str | int, path: Path) -> Any:
    if isinstance(value, dict) and isinstance(token, str) and token in value:
        return value[token]
    if isinstance(value, list):
        found = _element(value, token)
        if found is not None:
            return found[0]
    raise Unresolved(f"there is no {_text(path)}{_known(value)}")


def _element(values: Sequence[Any], token: str | int) -> tuple[Any] | None:
    if isinstance(token, int):
        # In a tuple of one, because the element itself may be null.
        return (values[token],) if token < len(values) else None
    for value in values:
        if isinstance(value, dict) and token in (value.get(name) for name in _NAMES):
            return (value,)
    return None


def _known(value: Any) -> str:
    if isinstance(value, dict):
        return f"; there are: {', '.join(sorted(map(str, value)))}" if value else "; it is empty"
    if isinstance(value, list):
        return f" in a list of {len(value)}"
    return f" in {value!r}"


def _text(path: Path) -> str:
    parts = [f"[{token}]" if isinstance(token, int) else f".{token}" for token in path]
    return "".join(parts).removeprefix(".")
