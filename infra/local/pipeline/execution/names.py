"""Names of what steps create, as AWS makes them up."""

import secrets
import string

__all__ = ["execution_id", "resource_name"]

_LETTERS = string.ascii_lowercase + string.digits
_SUFFIX = 10
_TUNING = 32  # the longest name of a tuning job


def execution_id() -> str:
    """Twelve small letters and digits."""
    return _random(12, _LETTERS)


def resource_name(execution: str, step: str, longest: int, prefix: str | None = None) -> str:
    """`pipelines-<execution>-<step>-<suffix>`; what is too long is cut off the step's name.

    Tuning jobs have no room for the word before. With a prefix of the step's own it is
    `<prefix>-<execution>-<suffix>`.
    """
    suffix = _random(_SUFFIX, string.ascii_letters + string.digits)
    if prefix:
        room = longest - len(execution) - _SUFFIX - 2
        return f"{_cut(prefix, room)}-{execution}-{suffix}"
    start = execution if longest <= _TUNING else f"pipelines-{execution}"
    room = longest - len(start) - _SUFFIX - 2
    return f"{start}-{_cut(step, room)}-{suffix}"


def _cut(name: str, room: int) -> str:
    """Step names may hold underscores, resources' may not."""
    return name.replace("_", "-")[:room].strip("-") or "step"


def _random(length: int, letters: str) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
