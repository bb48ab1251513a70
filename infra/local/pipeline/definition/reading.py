"""Reading of parts of a definition with their types, with AWS's error messages."""

from collections.abc import Collection, Mapping
from typing import Any

from longspan.infra.local.control.api import ValidationError

__all__ = ["invalid", "read_list", "read_members", "read_number", "read_text"]


def invalid(message: str) -> ValidationError:
    """Return the error for an invalid definition."""
    return ValidationError(f"Unable to parse pipeline definition. {message}")


def read_members(
    value: Any, where: str, required: Collection[str], optional: Collection[str] = ()
) -> Mapping[str, Any]:
    """Return an object with only these members; null counts as absent. Raises ValidationError."""
    if not isinstance(value, dict):
        raise invalid(f"{where}: Expecting start of Json Object, got {_shown(value)}.")
    known = (*required, *optional)
    for name in value:
        if name not in known:
            raise invalid(
                f"{where}: Cannot parse object, unknown property '{name}'. "
                f"Known are: {', '.join(known)}."
            )
    for name in required:
        if value.get(name) is None:
            raise invalid(f"{where}: Missing required property '{name}'.")
    return {name: item for name, item in value.items() if item is not None}


def read_list(value: Any, where: str) -> list[Any]:
    """Return a list. Raises ValidationError."""
    if not isinstance(value, list):
        raise invalid(f"{where}: Expecting start of Json Array, got {_shown(value)}.")
    return value


def read_text(value: Any, where: str) -> str:
    """Return a string. Raises ValidationError."""
    if not isinstance(value, str):
        raise invalid(f"{where}: Expecting a string, got {_shown(value)}.")
    return value


def read_number(value: Any, where: str, low: float, high: float, *, whole: bool = True) -> float:
    """Return a number from `low` to `high`. Raises ValidationError."""
    kinds: Any = int if whole else int | float
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
        kind = "an integer" if whole else "a number"
        raise invalid(f"{where}: Expecting {kind} from {low:g} to {high:g}, got {_shown(value)}.")
    return float(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."
