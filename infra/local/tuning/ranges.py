"""Checks of hyperparameter ranges.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from longspan.infra.local.control.api import ValidationError

__all__ = ["check_ranges"]


def check_ranges(ranges: Mapping[str, Any], static: Mapping[str, str]) -> tuple[str, ...]:
    """Check `ParameterRanges`, and return their names; `static` are the other hyperparameters.

    Raises ValidationError for the first invalid range.
    """
    names = tuple(_names(ranges))
    _check_names(names, static)
    for name, problem in _problems(ranges):
        raise ValidationError(f"The range of hyperparameter {name} is invalid: {problem}")
    return names


def _check_names(names: tuple[str, ...], static: Mapping[str, str]) -> None:
    if not names:
        raise ValidationError("You must specify at least one hyperparameter range.")
    if "" in names:
        raise ValidationError("A hyperparameter range has no name.")
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise ValidationError(f"Duplicate hyperparameter ranges: [{', '.join(repeated)}]")
    both = sorted(set(names) & set(static))
    if both:
        raise ValidationError(f"Hyperparameters are both static and tunable: [{', '.join(both)}]")


def _names(ranges: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("Integer", "Continuous", "Categorical"):
        for given in ranges.get(f"{kind}ParameterRanges") or ():
            yield given["Name"]


def _problems(ranges: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the problem of each invalid range."""
    kinds: tuple[tuple[str, Callable[[str], float]], ...] = (
        ("Integer", int),
        ("Continuous", float),
    )
    for kind, number in kinds:
        for given in ranges.get(f"{kind}ParameterRanges") or ():
            problem = _problem(given, kind, number)
            if problem:
                yield given["Name"], problem
    for given in ranges.get("CategoricalParameterRanges") or ():
        if len(set(given["Values"])) < len(given["Values"]):
            yield given["Name"], f"a value is repeated among [{', '.join(given['Values'])}]"


def _problem(given: Mapping[str, Any], kind: str, number: Callable[[str], float]) -> str | None:
    try:
        low, high = number(given["MinValue"]), number(given["MaxValue"])
    except ValueError:
        # Reported below, with the same message as an infinite number.
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high)):
        return (
            f"MinValue and MaxValue must be {kind.lower()} numbers, "
            f"got '{given['MinValue']}' and '{given['MaxValue']}'"
        )
    if low > high:
        return f"MinValue {given['MinValue']} is greater than MaxValue {given['MaxValue']}"
    scaling = given.get("ScalingType")
    if scaling == "Logarithmic" and low <= 0:
        return f"Logarithmic scaling needs a MinValue above 0, got {given['MinValue']}"
    if scaling == "ReverseLogarithmic":
        if kind == "Integer":
            return "ReverseLogarithmic scaling is for continuous ranges only"
        if low < 0 or high >= 1:
            return (
                "ReverseLogarithmic scaling needs a range within 0 <= x < 1, "
                f"got {given['MinValue']} to {given['MaxValue']}"
            )
    return None
