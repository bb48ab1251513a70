"""Fields of a JSON file: each asked for by its name and kind, so damage shows where it is read.

Every ValueError says what came, as the end of a sentence that the caller begins with the file's
name and what it should have been.
"""

import json
from collections.abc import Iterator, Mapping
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
    """A JSON object's values. Every method raises ValueError where there is another one.

    `path` leads to the object in its document: `held_out.validation.`
    """

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            name = f"{path.removesuffix('.')} " if path else ""
            raise ValueError(f"{name}{_shown(value)} in place of an object")
        self.values: Mapping[str, Any] = value
        self._path = path

    @classmethod
    def parse(cls, content: bytes) -> "Fields":
        """Those of a JSON document."""
        return cls(parse_json(content))

    def value(self, name: str) -> Any:
        """Of any kind."""
        if name not in self.values:
            raise ValueError(f"one without {self._path}{name}")
        return self.values[name]

    def integer(self, name: str, low: int = 0) -> int:
        """A whole number, at least `low`."""
        value = self.value(name)
        if type(value) is not int or value < low:
            raise self._other(name, f"a whole number from {low} on")
        return value

    def number(self, name: str) -> float:
        """A number, whole or not."""
        value = self.value(name)
        if type(value) not in (int, float):
            raise self._other(name, "a number")
        return float(value)

    def number_or_null(self, name: str) -> float | None:
        """A number, or null where there is none."""
        return None if self.value(name) is None else self.number(name)

    def text(self, name: str) -> str:
        """A string."""
        value = self.value(name)
        if not isinstance(value, str):
            raise self._other(name, "a text")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            raise self._other(name, "true or false")
        return value

    def fields(self, name: str) -> "Fields":
        """An object."""
        return Fields(self.value(name), f"{self._path}{name}.")

    def objects(self, name: str) -> "list[Fields]":
        """A list of objects."""
        value = self.value(name)
        if not isinstance(value, list):
            raise self._other(name, "a list of objects")
        return [Fields(one, f"{self._path}{name}[{i}].") for i, one in enumerate(value)]

    def each(self) -> "Iterator[tuple[str, Fields]]":
        """Every name, and its object."""
        return ((name, self.fields(name)) for name in self.values)

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        value = self.value(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._other(name, "a list of texts")
        return value

    def integers(self, name: str) -> list[int]:
        """A list of whole numbers from 0 on."""
        value = self.value(name)
        if not isinstance(value, list) or any(type(n) is not int or n < 0 for n in value):
            raise self._other(name, "a list of whole numbers")
        return value

    def _other(self, name: str, wanted: str) -> ValueError:
        return ValueError(f"{self._path}{name} {_shown(self.values[name])} in place of {wanted}")


def _shown(value: Any) -> str:
    if type(value) in _KINDS:
        return _KINDS[type(value)]
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
