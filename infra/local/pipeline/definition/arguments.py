"""Checks of a step's arguments and properties against SageMaker's model of its API.

As on AWS, a wrong type or name is refused when the pipeline is created, not only when the step
runs after hours of other steps.
"""

from collections.abc import Collection, Mapping
from typing import Any

from botocore.model import Shape

from longspan.infra.local.control import shapes
from longspan.infra.local.pipeline.definition.expressions import is_expression
from longspan.infra.local.pipeline.definition.paths import Path
from longspan.infra.local.pipeline.definition.reading import invalid
from longspan.infra.local.pipeline.definition.resources import StepResource

__all__ = ["check_arguments", "check_property"]


def check_arguments(arguments: Mapping[str, Any], resource: StepResource, where: str) -> None:
    """Check a step's arguments.

    Raises ValidationError for members that are unknown, missing, or of another type.
    """
    for name in resource.excluded:
        if name in arguments:
            raise invalid(f"{where}: Unknown Argument member '{name}'.")
    shape = shapes.operation(resource.create).input_shape
    # A generated name is optional in the arguments.
    _check(arguments, shape, where, optional=() if resource.literal else (resource.name,))


def _check(value: Any, shape: Shape, where: str, optional: Collection[str] = ()) -> None:
    # The type of an expression is known only when an execution evaluates it.
    if is_expression(value) or value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        _check_structure(value, shape, where, optional)
    elif kind == "list":
        _typed(value, list, "a list", where)
        _check_limits(value, shape, where)
        for number, item in enumerate(value):
            _check(item, shape.member, f"{where}[{number}]")
    elif kind == "map":
        _typed(value, dict, "an object", where)
        _check_limits(value, shape, where)
        for name, item in value.items():
            _check(name, shape.key, f"{where}['{name}']")
            _check(item, shape.value, f"{where}['{name}']")
    elif kind in _PLAIN:
        _typed(value, *_PLAIN[kind], where)
        _check_limits(value, shape, where)


# Types of values without members, with the words for them.
_PLAIN: Mapping[str, tuple[Any, str]] = {
    "string": (str, "a string"),
    "boolean": (bool, "true or false"),
    "integer": (int, "an integer"),
    "long": (int, "an integer"),
    "float": (int | float, "a number"),
    "double": (int | float, "a number"),
}


def _check_limits(value: Any, shape: Shape, where: str) -> None:
    """Check lengths, bounds, patterns and enumerations of a value."""
    for breach in shapes.own_breaches(value, shape, where):
        raise invalid(f"{where}: {breach}.")


def _check_structure(value: Any, shape: Shape, where: str, optional: Collection[str]) -> None:
    _typed(value, dict, "an object", where)
    members: Mapping[str, Shape] = shape.members
    for name, item in value.items():
        if name not in members:
            raise invalid(f"{where}: Unknown Argument member '{name}'.")
        _check(item, members[name], f"{where}.{name}")
    for name in shape.required_members:
        if value.get(name) is None and name not in optional:
            raise invalid(f"{where}: Missing required Argument member '{name}'.")


def _typed(value: Any, kind: Any, word: str, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise invalid(f"{where}: expected {word} or an expression, got {value!r}.")
    return value


def check_property(path: Path, resource: StepResource, where: str) -> None:
    """Check that the description of a step's resource can have a property.

    Raises ValidationError.
    """
    # Properties come from up to two answers: those of a tuning step include its best training jobs.
    operations = [name for name in (resource.describe, resource.also) if name]
    found = [shapes.operation(name).output_shape for name in operations]
    for number, token in enumerate(path):
        found = [below for shape in found for below in _below(shape, token)]
        if not found:
            raise invalid(
                f"{where}: {resource.describe} has no property "
                f"{'.'.join(str(part) for part in path[: number + 1])}."
            )


def _below(shape: Shape, token: str | int) -> list[Shape]:
    if shape.type_name == "structure":
        return [shape.members[token]] if token in shape.members else []
    if shape.type_name == "list":
        return [shape.member]
    return [shape.value] if shape.type_name == "map" else []
