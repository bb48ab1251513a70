"""Parameters of a pipeline: declared in its definition, given when an execution starts.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-parameters.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.pipeline.definition.reading import (
    invalid,
    read_list,
    read_members,
    read_text,
)

__all__ = ["PipelineParameter", "Value", "bind", "parameter_text", "read_parameters"]

Value: TypeAlias = str | int | float | bool

_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
_MOST = 200


@dataclass(frozen=True)
class PipelineParameter:
    """Declaration of one parameter; with `default` None, an execution must give a value."""

    name: str
    type: str
    default: Value | None = None
    allowed: tuple[str, ...] = ()

    def parse(self, text: str) -> Value:
        """Return the value for the text in a request. Raises ValidationError."""
        try:
            value = _PARSERS[self.type](text)
        except ValueError:
            raise ValidationError(
                f"Invalid value for pipeline parameter '{self.name}': expected type {self.type}, "
                f"got '{text}'."
            ) from None
        self.check(value)
        return value

    def check(self, value: Value) -> None:
        """Check that the value is allowed. Raises ValidationError."""
        if self.allowed and value not in self.allowed:
            raise ValidationError(
                f"Invalid value for pipeline parameter '{self.name}': expected one of "
                f"{', '.join(self.allowed)}, got '{value}'."
            )


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


_PARSERS: Mapping[str, Callable[[str], Value]] = {
    "String": str,
    "Integer": int,
    "Float": float,
    "Boolean": _boolean,
}
_TYPES: Mapping[str, Any] = {"String": str, "Integer": int, "Float": int | float, "Boolean": bool}


def read_parameters(value: Any) -> tuple[PipelineParameter, ...]:
    """Return the parameters that a definition declares. Raises ValidationError."""
    found = tuple(
        _read(item, f"Parameters[{number}]")
        for number, item in enumerate(read_list(value, "Parameters"))
    )
    if len(found) > _MOST:
        raise invalid(f"Parameters: at most {_MOST} are allowed, got {len(found)}.")
    names = [parameter.name for parameter in found]
    for name in names:
        if names.count(name) > 1:
            raise invalid(f"Duplicate parameter name '{name}'. Parameter names must be unique.")
    return found


def _read(item: Any, where: str) -> PipelineParameter:
    members = read_members(item, where, ("Name", "Type"), ("DefaultValue", "EnumValues"))
    name, kind = read_text(members["Name"], f"{where}.Name"), members["Type"]
    if not _NAME.fullmatch(name):
        raise invalid(f"{where}: Name '{name}' must match {_NAME.pattern}.")
    if kind not in _TYPES:
        raise invalid(
            f"{where}: Type of '{name}' must be one of {', '.join(_TYPES)}, got {kind!r}."
        )
    allowed = read_list(members.get("EnumValues", []), f"{where}.EnumValues")
    if allowed and kind != "String":
        raise invalid(f"{where}: only a String has EnumValues, '{name}' is of type {kind}.")
    default = members.get("DefaultValue")
    # The second test keeps true and false, which are integers in Python, out of Integer and Float.
    if default is not None and (
        not isinstance(default, _TYPES[kind]) or isinstance(default, bool) != (kind == "Boolean")
    ):
        raise invalid(f"{where}: DefaultValue of '{name}' must be of type {kind}, got {default!r}.")
    parameter = PipelineParameter(
        name, kind, default, tuple(read_text(one, f"{where}.EnumValues") for one in allowed)
    )
    if default is not None:
        parameter.check(default)
    return parameter


def bind(
    declared: Sequence[PipelineParameter], given: Iterable[Mapping[str, str]]
) -> dict[str, Value]:
    """Return the values of all parameters of an execution, by name.

    Raises ValidationError for unknown or repeated names, wrong types, and missing values.
    """
    known = {parameter.name: parameter for parameter in declared}
    values: dict[str, Value] = {}
    for item in given:
        name = item["Name"]
        if name not in known:
            raise ValidationError(
                f"Unknown pipeline parameter '{name}'. The pipeline's parameters are: "
                f"{', '.join(known) or 'none'}."
            )
        if name in values:
            raise ValidationError(f"Pipeline parameter '{name}' is given twice.")
        values[name] = known[name].parse(item.get("Value", ""))
    missing = [p.name for p in declared if p.name not in values and p.default is None]
    if missing:
        raise ValidationError(
            f"Parameters {missing} have no default value in the pipeline definition: give their "
            "values in PipelineParameters."
        )
    return {p.name: values[p.name] if p.name in values else _default(p) for p in declared}


def _default(parameter: PipelineParameter) -> Value:
    assert parameter.default is not None
    return parameter.default


def parameter_text(value: Value) -> str:
    """Return a value as ListPipelineParametersForExecution shows it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
