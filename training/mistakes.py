"""Mistakes in values: what pydantic found wrong, in the words of this project.

A mistake names the place of a value, what belongs there and what was given, on one line:
`data.pairs[1]: expected a text, got 3`.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

__all__ = ["Mistake", "Place", "allowed_values", "mistakes_of", "shown_value"]

# Where a value stands in a document: names of keys, numbers of list items.
Place = tuple[str | int, ...]

_LONGEST = 60  # characters of a value that are shown


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong; `place` is relative to the document that was checked."""

    place: Place
    text: str

    def below(self, name: str) -> "Mistake":
        """Return the same mistake, seen from the section that holds this one as `name`."""
        return Mistake((name, *self.place), self.text)

    @property
    def name(self) -> str:
        """`data.pairs[1]`, as the value would be written; empty for the document itself."""
        return "".join(map(_step, self.place)).removeprefix(".")

    def __str__(self) -> str:
        return f"{self.name}: {self.text}" if self.name else self.text


def mistakes_of(
    error: ValidationError,
    model: type[BaseModel],
    null: str = "null",
    texts: Mapping[str, str] = MappingProxyType({}),
) -> list[Mistake]:
    """Return one mistake for each value of `model` that `error` names.

    `null` is the word for no value, empty where a value must be given. `texts` are the texts of
    values that were read from one.
    """
    by_place: dict[Place, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        # A union has an error of each member at the same place.
        by_place.setdefault(_place_of(details), []).append(details)
    return [
        Mistake(place, _text(place, several, model, null, texts))
        for place, several in by_place.items()
    ]


def allowed_values(field: FieldInfo, null: str = "null") -> str:
    """Return what a field takes: `an integer from 1 to 16`, `rnn | transformer`.

    Empty where only pydantic's own message says it.
    """
    members = get_args(field.annotation) or (field.annotation,)
    words = next((one.words for one in field.metadata if hasattr(one, "words")), "")
    if not words and members and not any(isinstance(part, type) for part in members):
        words = " | ".join(_literals(members))
    kinds = [part for part in members if part is not type(None)]
    if not words and len(kinds) == 1:
        words = _scalar(kinds[0], field.metadata) or " | ".join(_literals(kinds[:1]))
    optional = type(None) in members and words and null
    return f"{words} or {null}" if optional else words


def shown_value(value: Any) -> str:
    """Return a value as a message shows it: its kind, or its text of at most 60 characters."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python converts
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part if part.isprintable() and len(part) <= _LONGEST else shown_value(part)}"


def _literals(members: Sequence[Any]) -> list[str]:
    values = [v for m in members if m is not type(None) for v in (get_args(m) or (m,))]
    return [str(value) for value in values if isinstance(value, str | int)]


def _scalar(kind: Any, metadata: Sequence[Any]) -> str:
    """Return the words for one plain type within its bounds."""
    if kind is bool:
        return "true | false"
    if kind is int:
        return f"an integer{_bounds(metadata, str)}"
    if kind is float:
        return f"a number{_bounds(metadata, '{:g}'.format)}"
    return "a text" if kind is str and not metadata else ""


def _bounds(metadata: Sequence[Any], shown: Any) -> str:
    """Return ` from 1 to 16`, ` of at least 1`, ` from 0 to below 1`, or nothing."""
    given = {
        name: shown(getattr(one, name))
        for one in metadata
        for name in ("ge", "gt", "le", "lt")
        if getattr(one, name, None) is not None
    }
    low = given.get("ge", f"above {given['gt']}" if "gt" in given else "")
    high = given.get("le", f"below {given['lt']}" if "lt" in given else "")
    if low and high:
        return f" from {low} to {high}"
    if low:
        return f" of at least {low}" if "ge" in given else f" {low}"
    return (f" of at most {high}" if "le" in given else f" {high}") if high else ""


def _text(
    place: Place,
    several: Sequence[ErrorDetails],
    model: type[BaseModel],
    null: str,
    texts: Mapping[str, str],
) -> str:
    first = several[0]
    if first["type"] == "extra_forbidden":
        return _unknown_key(place, model)
    if first["type"] == "missing":
        return "is missing"
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    field = _field_at(place, model)
    expected = allowed_values(field, null) if field is not None else ""
    expected = expected or " or ".join(dict.fromkeys(_expected(details) for details in several))
    text = texts.get(str(place[0])) if place else None
    if text is not None:
        return f"expected {expected}, got {shown_value(text)}"
    return f"expected {expected}, got {shown_value(first['input'])}{_hint(first)}"


_EXPECTED = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
    "too_short": ("a number of entries of at least", "min_length"),
    "too_long": ("a number of entries of at most", "max_length"),
    "string_too_short": ("a length of at least", "min_length"),
    "string_too_long": ("a length of at most", "max_length"),
}


def _expected(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind == "literal_error":
        return f"one of {context['expected'].replace(chr(39), '')}"
    if kind in _LIMITS:
        words, name = _LIMITS[kind]
        return f"{words} {context[name]}"
    if kind == "string_pattern_mismatch":
        return f"what the pattern {context['pattern']} allows"
    message = details["msg"]
    return f"{message[:1].lower()}{message[1:]}"


def _hint(details: ErrorDetails) -> str:
    value, kind = details["input"], details["type"]
    if kind == "literal_error":
        allowed = details["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        near = [name for name in allowed if name.lower() == str(value).lower()]
        near = near or difflib.get_close_matches(str(value), allowed, n=1)
        return f"; did you mean {near[0]}?" if near else ""
    if kind in ("int_type", "float_type") and isinstance(value, str):
        return "; take the quotes away" if _is_number(value) else ""
    return ""


def _unknown_key(place: Place, model: type[BaseModel]) -> str:
    known = list(_model_at(place[:-1], model).model_fields)
    near = difflib.get_close_matches(str(place[-1]), known, n=1)
    elsewhere = [] if near else list(_sections_with(str(place[-1]), model))
    if near:
        return f"no such key; did you mean {near[0]}?"
    if elsewhere:
        return f"no such key here; it belongs to {elsewhere[0]}"
    return f"no such key; known here: {', '.join(known)}"


def _field_at(place: Place, model: type[BaseModel]) -> FieldInfo | None:
    """Return the field that a place names; None inside of a list or of a mapping."""
    for number, part in enumerate(place):
        field = model.model_fields.get(str(part))
        if field is None or number == len(place) - 1:
            return field
        inner = list(_models_in(field.annotation))
        if not inner:
            return None
        model = inner[0]
    return None


def _model_at(place: Place, model: type[BaseModel]) -> type[BaseModel]:
    """Return the model of the section at a place."""
    for part in place:
        field = model.model_fields.get(str(part))
        # Names inside a mapping, such as the search space's, are no fields: its model stays.
        inner = list(_models_in(field.annotation)) if field is not None else []
        model = inner[0] if inner else model
    return model


def _sections_with(name: str, model: type[BaseModel]) -> Iterator[str]:
    for section, field in model.model_fields.items():
        if any(name in inner.model_fields for inner in _models_in(field.annotation)):
            yield section


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation such as `Vpc | None` or `dict[str, Range]` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _place_of(details: ErrorDetails) -> Place:
    """Return where an error is; the name of an unknown key is any text, so it stays as it is."""
    location = details["loc"]
    end = len(location) - (details["type"] == "extra_forbidden")
    return _without_union_tags(location[:end]) + location[end:]


def _without_union_tags(location: tuple[int | str, ...]) -> Place:
    """Pydantic puts the tried member of a union into the place; no key of ours has such a name."""
    return tuple(
        part
        for part in location
        if not (isinstance(part, str) and (part in _UNION_TAGS or "[" in part))
    )


_UNION_TAGS = frozenset({"str", "constrained-str", "int", "float", "bool", "list", "range"})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
