"""Read `longspan.yaml`: every mistake of the file in one go, each with its line."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from longspan.pipelines.config.config import Config
from longspan.pipelines.config.section import (
    ConfigError,
    ConfigSection,
    Mistake,
    Place,
    nearest_line,
)
from longspan.pipelines.config.template import template
from longspan.pipelines.config.yaml_lines import parse_yaml

__all__ = ["DEFAULT_FILE", "load_config", "load_config_or_sample", "parse_config"]

DEFAULT_FILE = Path("longspan.yaml")


def load_config(path: Path = DEFAULT_FILE) -> Config:
    """The config of a file. Raises ConfigError with all of its mistakes."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = "" if path.suffix else "; it is the name of a file"
        raise ConfigError(
            [Mistake((), f"no such file: `longspan init {path}` writes one{hint}")], str(path)
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Mistake((), f"expected a text file: {error}")], str(path)) from error
    return parse_config(text, str(path))


def load_config_or_sample(path: Path | None) -> Config:
    """The file; without one `longspan.yaml` if that is there, else the generated sample's.

    Raises ConfigError.
    """
    if path is None and not DEFAULT_FILE.is_file():
        return parse_config(template(), "the sample's config")
    return load_config(path or DEFAULT_FILE)


def parse_config(text: str, source: str = "config") -> Config:
    """The config of a YAML text. Raises ConfigError with all of its mistakes."""
    parsed = parse_yaml(text)
    lines = parsed.line_numbers
    if parsed.mistakes:
        raise ConfigError(parsed.mistakes, source, lines)
    if not isinstance(parsed.value, dict):
        came = type(parsed.value).__name__
        raise ConfigError(
            [Mistake((), f"expected sections such as data: and training:, came a {came}")], source
        )
    try:
        return Config.model_validate(parsed.value)
    except ConfigError as error:
        raise ConfigError(error.mistakes, source, lines) from None
    except ValidationError as error:
        mistakes = list(_mistakes(error))
        mistakes += _mistakes_of_sound_sections(parsed.value, mistakes)
        raise ConfigError(_in_order(mistakes, lines), source, lines) from None


def _mistakes_of_sound_sections(
    values: Mapping[str, Any], found: list[Mistake]
) -> Iterator[Mistake]:
    """Where some sections have the wrong form, the others are still looked through."""
    unsound = {mistake.path[0] for mistake in found if mistake.path}
    for name, field in Config.model_fields.items():
        model = field.annotation
        if name in values and name not in unsound and _is_model(model):
            section: ConfigSection = model.model_validate(values[name])  # type: ignore[union-attr]
            for mistake in section.mistakes():
                yield mistake.below(name)


def _in_order(mistakes: list[Mistake], lines: Mapping[Place, int]) -> list[Mistake]:
    return sorted(mistakes, key=lambda mistake: nearest_line(mistake.path, lines) or 0)


def _mistakes(error: ValidationError) -> Iterator[Mistake]:
    """One for each value; where several types are allowed, each of them has its own error."""
    by_path: dict[Place, list[ErrorDetails]] = {}
    for details in error.errors():
        by_path.setdefault(_without_union_tags(details["loc"]), []).append(details)
    for path, several in by_path.items():
        yield Mistake(path, _text(path, several))


def _text(path: Place, several: list[ErrorDetails]) -> str:
    first = several[0]
    if first["type"] == "extra_forbidden":
        return _unknown_key(path)
    if first["type"] == "missing":
        return "is missing"
    expected = " or ".join(dict.fromkeys(_expected(details) for details in several))
    return f"expected {expected}, came {_shown(first['input'])}{_hint(first)}"


def _expected(details: ErrorDetails) -> str:
    """What belongs there, in the words of every other message of this project."""
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


_EXPECTED = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "names with values",
    "model_type": "names with values",
    "model_attributes_type": "names with values",
}
_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
    "too_short": ("a number of entries from", "min_length"),
    "too_long": ("a number of entries up to", "max_length"),
    "string_too_short": ("a length from", "min_length"),
    "string_too_long": ("a length up to", "max_length"),
}


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


def _unknown_key(path: Place) -> str:
    known = _keys_at(path[:-1])
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    elsewhere = [] if near else _found_elsewhere(str(path[-1]))
    if near:
        return f"no such key; did you mean {near[0]}?"
    if elsewhere:
        return f"no such key here; it belongs to {elsewhere[0]}"
    return f"no such key; known here: {', '.join(known)}"


def _keys_at(path: Place) -> list[str]:
    """The keys of the section at a path."""
    model: type[BaseModel] = Config
    for part in path:
        field = model.model_fields.get(str(part))
        # Names inside a mapping, such as the search space's, are no fields: its model stays.
        inner = _models_in(field.annotation) if field is not None else []
        model = inner[0] if inner else model
    return list(model.model_fields)


def _found_elsewhere(name: str) -> list[str]:
    return [
        section
        for section, field in Config.model_fields.items()
        for model in _models_in(field.annotation)
        if name in model.model_fields
    ]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The sections that an annotation such as `Vpc | None` or `dict[str, Range]` holds."""
    if _is_model(annotation):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _without_union_tags(location: tuple[int | str, ...]) -> Place:
    """Pydantic puts the tried member of a union into the path; no key of ours has such a name."""
    return tuple(
        part
        for part in location
        if not (isinstance(part, str) and (part in _UNION_TAGS or "[" in part))
    )


_UNION_TAGS = frozenset({"str", "constrained-str", "int", "float", "bool", "list", "range"})


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = f"the text {value!r}" if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
