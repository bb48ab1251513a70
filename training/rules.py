"""Settings that arrive as strings: fields of a dataclass with a rule how each is read.

A field's rule lies in its metadata under "rule": it parses a value, and says what is allowed to
whoever gave another, in errors, in `--help` and in the docs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Rule", "choice", "flag", "integer", "real", "text"]


@dataclass(frozen=True)
class Rule:
    """How one setting is read.

    `parse` raises ValueError, KeyError or OverflowError for what it does not take; `allowed` says
    what is right, `help` what it is for.
    """

    parse: Callable[[str], Any]
    allowed: str
    help: str


def integer(default: int | None, low: int, high: int, meaning: str) -> Any:
    """A whole number within its bounds; or none, where that is the default."""

    def parse(value: str) -> int | None:
        if default is None and value.lower() in ("none", ""):
            return None
        number = int(value)
        if not low <= number <= high:
            raise ValueError(value)
        return number

    allowed = f"an integer from {low} to {high}" + (" or none" if default is None else "")
    return _field(default, Rule(parse, allowed, meaning))


def real(default: float, low: float, high: float, meaning: str, *, below: bool = False) -> Any:
    """A number within its bounds, `below` the upper one or up to it."""

    def parse(value: str) -> float:
        number = float(value)
        inside = low <= number < high if below else low <= number <= high
        if not inside or math.isnan(number):
            raise ValueError(value)
        return number

    allowed = f"a number from {low:g} to {'below ' if below else ''}{high:g}"
    return _field(default, Rule(parse, allowed, meaning))


def choice(default: str, values: tuple[str, ...], meaning: str) -> Any:
    """One of some names."""

    def parse(value: str) -> str:
        if value not in values:
            raise ValueError(value)
        return value

    return _field(default, Rule(parse, " | ".join(values), meaning))


def flag(default: bool, meaning: str) -> Any:
    """Yes or no."""

    def parse(value: str) -> bool:
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]

    return _field(default, Rule(parse, "true | false", meaning))


def text(
    default: str, meaning: str, parse: Callable[[str], str] = str, allowed: str = "a text"
) -> Any:
    """Any text that `parse` takes."""
    return _field(default, Rule(parse, allowed, meaning))


def _field(default: Any, rule: Rule) -> Any:
    return field(default=default, metadata={"rule": rule})
