"""Fields of a JSON file: each asked for by its name and kind, so damage shows where it is read.

Every ValueError says what came, as the end of a sentence that the caller begins with the file's
name and what it should have been.
"""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["Fields", "parse_json"]

_KINDS = {dict: "an object", list: "a list", type(None): "null"}
_LONGEST = 40  # characters of a value that are shown


def parse_json(content: bytes) -> Any:
    """The value of a JSON document. Raises ValueError."""
    try:
        return json.loads(content.decode())
    except UnicodeDecodeError:
        raise ValueError("bytes that are no text") from None
    except json.JSONDecodeError as error:
        if not content.strip():
            raise ValueError("an empty file") from None
        raise ValueError(f"no JSON from line {error.lineno} on ({error.msg})") from None
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


class Fields:
    """A JSON object's values. Every method raises ValueError where there is another one."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{_shown(value)} in place of an object")
        self.values: Mapping[str, Any] = value

    @classmethod
    def parse(cls, content: bytes) -> "Fields":
        """Those of a JSON document."""
        return cls(parse_json(content))

    def value(self, name: str) -> Any:
        """Of any kind."""
        if name not in self.values:
            raise ValueError(f"one without {name}")
        return self.values[name]

    def integer(self, name: str, low: int = 0) -> int:
        """A whole number, at least `low`."""
        value = self.value(name)
        if type(value) is not int or value < low:
            raise ValueError(f"{name} {_shown(value)} in place of a whole number from {low} on")
        return value

    def text(self, name: str) -> str:
        """A string."""
        value = self.value(name)
        if not isinstance(value, str):
            raise ValueError(f"{name} {_shown(value)} in place of a text")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            raise ValueError(f"{name} {_shown(value)} in place of true or false")
        return value

    def fields(self, name: str) -> "Fields":
        """An object."""
        value = self.value(name)
        try:
            return Fields(value)
        except ValueError:
            raise ValueError(f"{name} {_shown(value)} in place of an object") from None

    def integers(self, name: str) -> list[int]:
        """A list of whole numbers from 0 on."""
        value = self.value(name)
        if not isinstance(value, list) or any(type(n) is not int or n < 0 for n in value):
            raise ValueError(f"{name} {_shown(value)} in place of a list of whole numbers")
        return value


def _shown(value: Any) -> str:
    if type(value) in _KINDS:
        return _KINDS[type(value)]
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
