"""Generated names of executions and of the resources that steps create, in AWS's form."""

import secrets
import string

__all__ = ["execution_id", "resource_name"]

_LETTERS = string.ascii_lowercase + string.digits
_SUFFIX = 10
_TUNING = 32  # characters of a tuning job's name at most


def execution_id() -> str:
    """Return the id of an execution: twelve lower-case letters and digits."""
    return _random(12, _LETTERS)


def resource_name(execution: str, step: str, longest: int, prefix: str | None = None) -> str:
    """Return `pipelines-<execution>-<step>-<suffix>`, with the step's name cut to fit `longest`.

    Names of tuning jobs have no room for `pipelines-`. With a prefix, returns
    `<prefix>-<execution>-<suffix>`.
    """
    suffix = _random(_SUFFIX, string.ascii_letters + string.digits)
    if prefix:
        room = longest - len(execution) - _SUFFIX - 2  # 2 hyphens
        return f"{_cut(prefix, room)}-{execution}-{suffix}"
    start = execution if longest <= _TUNING else f"pipelines-{execution}"
    room = longest - len(start) - _SUFFIX - 2  # 2 hyphens
    return f"{start}-{_cut(step, room)}-{suffix}"


def _cut(name: str, room: int) -> str:
    """Return a cut name without underscores, which names of resources may not contain."""
    return name.replace("_", "-")[:room].strip("-") or "step"


def _random(length: int, letters: str) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
