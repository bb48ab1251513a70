"""Conditions of a condition step: checked when a pipeline is created, evaluated when it runs.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-condition
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from longspan.infra.local.pipeline.definition.expressions import (
    ReferenceValues,
    evaluate_expression,
)
from longspan.infra.local.pipeline.definition.reading import invalid, read_list, read_members

__all__ = ["check_condition", "holds"]

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "Equals": ("LeftValue", "RightValue"),
    **dict.fromkeys(_ORDERS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "And": ("Conditions",),
    "Or": ("Conditions",),
}


def check_condition(condition: Any, where: str) -> None:
    """Check the form of a condition. Raises ValidationError."""
    kind = str(condition.get("Type")) if isinstance(condition, dict) else ""
    if kind not in _MEMBERS:
        raise invalid(
            f"{where}: Unknown condition type {kind!r}. Known are: {', '.join(_MEMBERS)}."
        )
    read_members(condition, f"{where} ({kind})", ("Type", *_MEMBERS[kind]))
    if kind == "Not":
        check_condition(condition["Condition"], f"{where}.Not")
    elif kind in ("And", "Or"):
        for number, part in enumerate(read_list(condition["Conditions"], where)):
            check_condition(part, f"{where}.{kind}[{number}]")
    elif kind == "In":
        read_list(condition["Values"], f"{where}.Values")


def holds(condition: Mapping[str, Any], values: ReferenceValues) -> bool:
    """Return whether a condition is true.

    Raises Unresolved, and ValueError for values that cannot be compared.
    """
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], values)
    if kind == "And":
        return all(holds(part, values) for part in condition["Conditions"])
    if kind == "Or":
        return any(holds(part, values) for part in condition["Conditions"])
    if kind == "In":
        wanted = evaluate_expression(condition["QueryValue"], values)
        return any(
            _equal(wanted, found) for found in evaluate_expression(condition["Values"], values)
        )
    left, right = (
        evaluate_expression(condition[side], values) for side in ("LeftValue", "RightValue")
    )
    return _equal(left, right) if kind == "Equals" else _ordered(kind, left, right)


def _equal(left: Any, right: Any) -> bool:
    """Return whether values of one type are equal: 1 and 1.0, but not 1 and "1", nor 1 and true."""
    return _kind(left) == _kind(right) and bool(left == right)


def _ordered(kind: str, left: Any, right: Any) -> bool:
    if _kind(left) != _kind(right) or _kind(left) not in ("number", "string"):
        raise ValueError(
            f"{kind} compares two numbers or two strings, got {left!r} ({_kind(left)}) and "
            f"{right!r} ({_kind(right)})"
        )
    return _ORDERS[kind](left, right)


def _kind(value: Any) -> str:
    # Before the numbers, since `bool` is a subclass of `int`.
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else type(value).__name__
