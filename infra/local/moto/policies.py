"""Evaluation of the IAM policies of one identity: whether they allow an action.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

An explicit Deny wins. Conditions are evaluated for the condition keys that are known here. A
condition on an unknown key counts as met in an Allow statement, and as not met in a Deny one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

__all__ = ["ALLOWED", "DENIED", "NEUTRAL", "evaluate_policies"]

# DENIED: a statement denies. NEUTRAL: no statement matches, which refuses as well.
ALLOWED, DENIED, NEUTRAL = "allowed", "denied", "neutral"


def evaluate_policies(
    policies: Iterable[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Mapping[str, str] | None = None,
) -> str:
    """Return ALLOWED, DENIED or NEUTRAL for an action such as `s3:GetObject` on an ARN.

    `policies` are policy documents of one identity. `context` holds the condition keys of the
    request that are known, such as `iam:PassedToService`.
    """
    known = {key.lower(): value for key, value in (context or {}).items()}
    effects = {
        statement.get("Effect")
        for policy in policies
        for statement in _list(policy.get("Statement"))
        if _concerns(statement, action, resource) and _holds(statement, known)
    }
    if "Deny" in effects:
        return DENIED
    return ALLOWED if "Allow" in effects else NEUTRAL


def _concerns(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    # IAM ignores the case of actions, but not that of resources.
    return _names(statement, "Action", action.lower(), str.lower) and _names(
        statement, "Resource", resource, str
    )


def _names(statement: Mapping[str, Any], element: str, value: str, fold: Any) -> bool:
    """Return whether an element (`Action`, `Resource`) or its `Not...` form includes `value`."""
    if element in statement:
        return _matches(map(fold, _list(statement[element])), value)
    opposite = f"Not{element}"
    return opposite in statement and not _matches(map(fold, _list(statement[opposite])), value)


def _holds(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Return whether all conditions are met; unknown keys and operators count for the request."""
    unknown = statement.get("Effect") == "Allow"
    return all(
        _met(operator, _list(wanted), context[key.lower()], unknown)
        if key.lower() in context
        else unknown
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, wanted in keys.items()
    )


def _met(operator: str, wanted: Sequence[Any], value: str, unknown: bool) -> bool:
    # Without the set operator, as in ForAnyValue:StringEquals: each known key has one value.
    name = operator.removesuffix("IfExists").rpartition(":")[2]
    # Policies may write true or "true"; `str(True)` is "True".
    texts = [str(one).lower() if name == "Bool" else str(one) for one in wanted]
    match name:
        case "StringEquals" | "Bool":
            return value in texts
        case "StringNotEquals":
            return value not in texts
        case "StringLike" | "ArnLike" | "ArnEquals":
            return _matches(texts, value)
        case "StringNotLike" | "ArnNotLike" | "ArnNotEquals":
            return not _matches(texts, value)
        case "Null":
            return texts == ["false"]  # the key is present
        case _:
            return unknown


def _matches(patterns: Iterable[str], value: str) -> bool:
    return any(_pattern(pattern).fullmatch(value) for pattern in patterns)


@cache
def _pattern(wildcards: str) -> "re.Pattern[str]":
    """Return a regular expression: `*` matches any text, `?` any character.

    Its time grows with the length of the text, not with its power: between two `*` the first place
    that fits is as good as any other, so it is never tried again (an atomic group).
    """
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in wildcards.split("*"))
    between = "".join(f"(?>.*?{part})" for part in rest[:-1])
    end = f".*{rest[-1]}" if rest else ""
    return re.compile(f"{first}{between}{end}", re.DOTALL)


def _list(value: Any) -> list[Any]:
    """Return a list: IAM accepts a single value in place of a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
