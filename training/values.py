"""Validated values: the one base of hyperparameters, options, settings, config and documents.

Pydantic checks the values; `mistakes` says what is wrong in the words of this project.

Values            a section of a document: strict, frozen, unknown names refused
├── Settings      plain values by name: raise an error of this project, and can be read from texts
└── JsonDocument  an object of a JSON file: unknown names ignored, raises ValueError
"""

import json
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = [
    "Count",
    "FileFormat",
    "JsonDocument",
    "Settings",
    "Values",
    "Words",
    "field_of",
    "parse_json",
    "require_names",
]

# A number of things, of a JSON file.
Count = Annotated[int, Field(ge=0)]

_FLAGS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Words:
    """Allowed values of a field in words, in its `Annotated` type, where the type cannot say it."""

    words: str


class Values(BaseModel):
    """Values that are checked when they are built, and never change.

    A text is never taken for a number nor true for 1, numbers are finite, and unknown names are
    refused. Building raises pydantic's ValidationError, of which `mistakes_of` makes messages.
    """

    # Checks are compiled when a class is first used: an import costs nothing for them.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class Settings(Values):
    """Plain values by name. Building raises `refusal`: one line on the first mistake."""

    refusal: ClassVar[type[Exception]]
    # The word for no value, of fields that may have none; empty where a value must be given.
    null: ClassVar[str] = "none"

    def __init__(self, **values: Any) -> None:
        self._check(values, {}, {})

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], names: Mapping[str, str] | None = None) -> Self:
        """Return the settings that texts stand for, as a job or an environment hands them over.

        `names` are the names of fields that the user knows, where those are others. Raises
        `refusal`.
        """
        kinds = {name: field.annotation for name, field in cls.model_fields.items()}
        values = {name: _value_of(text, kinds.get(name)) for name, text in texts.items()}
        return cls.named(values, names or {}, texts)

    @classmethod
    def named(
        cls,
        values: Mapping[str, Any],
        names: Mapping[str, str],
        texts: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """Return settings whose mistakes are told by the `names` that the user knows.

        `texts` are what values were read from. Raises `refusal`.
        """
        settings = cls.__new__(cls)
        settings._check(values, names, texts)
        return settings

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some values changed, checked again. Raises `refusal`."""
        return type(self)(**(vars(self) | changes))

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Return the default of each field by name."""
        return {name: field.default for name, field in cls.model_fields.items()}

    @classmethod
    def describe(cls) -> list[tuple[str, Any, str, str]]:
        """Return (name, default, allowed values, meaning) of each field, for help and docs."""
        from longspan.training.mistakes import allowed_values

        return [
            (name, field.default, allowed_values(field, cls.null), field.description or "")
            for name, field in cls.model_fields.items()
        ]

    def _check(
        self, values: Mapping[str, Any], names: Mapping[str, str], texts: Mapping[str, str]
    ) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            from longspan.training.mistakes import mistakes_of  # only where there are any

            first, *_ = mistakes_of(error, type(self), self.null, texts)
            name = names.get(first.name, first.name)
            raise self.refusal(f"{name}: {first.text}") from None


class JsonDocument(Values):
    """An object of a JSON file. Names that this version does not know are ignored.

    Numbers may be infinite or not a number, which training writes of a loss that diverged.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=True)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Return the document of a file's bytes. Raises ValueError on the first mistake."""
        return cls.read(parse_json(content))

    @classmethod
    def checked(cls, content: bytes) -> dict[str, Any]:
        """Return the plain object of a file's bytes, after a check. Raises ValueError."""
        value = parse_json(content)
        cls.read(value)
        return dict(value)

    @classmethod
    def checked_list(cls, content: bytes) -> list[dict[str, Any]]:
        """Return the plain objects of a file that lists them, after a check. Raises ValueError."""
        value = parse_json(content)
        if not isinstance(value, list):
            raise ValueError("expected a list, got another JSON value")
        for one in value:
            cls.read(one)
        return value

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return the document of a JSON value. Raises ValueError on the first mistake."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            from longspan.training.mistakes import mistakes_of

            first, *_ = mistakes_of(error, cls)
            raise ValueError(str(first)) from None


class FileFormat(JsonDocument):
    """The version of a file's format, which is read before the rest of the file is checked."""

    format: Count


def parse_json(content: bytes) -> Any:
    """Return the value of a JSON document. Raises ValueError."""
    try:
        return json.loads(content.decode())
    except UnicodeDecodeError:
        raise ValueError("got bytes that are not UTF-8") from None
    except json.JSONDecodeError as error:
        if not content.strip():
            raise ValueError("got an empty file") from None
        raise ValueError(f"got invalid JSON at line {error.lineno} ({error.msg})") from None
    except RecursionError:
        raise ValueError("got JSON that is nested too deeply") from None
    except ValueError:  # more digits than Python converts
        raise ValueError("got an integer of too many digits") from None


def require_names(place: str, values: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise ValueError for the first of `names` that the object at `place` does not have."""
    for name in names:
        if name not in values:
            raise ValueError(f"{place}.{name}: is missing")


def field_of(model: type[BaseModel], name: str) -> Any:
    """Return a field of another model, to have its default, bounds and description here too."""
    return copy(model.model_fields[name])


def _value_of(text: str, kind: Any) -> Any:
    """Return the value of type `kind` that a text stands for, else the text itself."""
    kinds = get_args(kind) or (kind,)
    if type(None) in kinds and text.lower() in ("none", ""):
        return None
    if bool in kinds:
        return _FLAGS.get(text.lower(), text)
    for number in (int, float):
        if number in kinds:
            try:
                return number(text)
            except (ValueError, OverflowError):
                return text
    return text
