"""Validation and projection by SageMaker's own model of its operations, which botocore contains.

AWS validates more than boto3 does: patterns, enumerations, maximum lengths. So does the local
cloud, with AWS's messages.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

from longspan.infra.local.control.api import Document, ValidationError

__all__ = ["operation", "own_breaches", "project", "strings", "validate"]


@cache
def _service() -> ServiceModel:
    return botocore.session.Session().get_service_model("sagemaker")


def operation(name: str) -> OperationModel:
    """Return the model of an operation such as `CreateTrainingJob`."""
    return _service().operation_model(name)


def strings(operation_name: str, request: Mapping[str, Any], shape_name: str) -> list[str]:
    """Return the distinct strings of a request whose shape has a name, such as `RoleArn`."""
    if operation_name not in _service().operation_names:
        return []
    shape = operation(operation_name).input_shape
    return list(dict.fromkeys(_strings(request, shape, shape_name)))


def _strings(value: Any, shape: Shape, wanted: str) -> Iterator[str]:
    """Yield strings; a value that does not fit its shape has none."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, item in value.items():
            if name in shape.members:
                yield from _strings(item, shape.members[name], wanted)
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from _strings(item, shape.member, wanted)
    elif shape.name == wanted and isinstance(value, str):
        yield value


def project(document: Mapping[str, Any], shape: StructureShape) -> Document:
    """Return the members of a document that are in the shape and have a value."""
    return {name: document[name] for name in shape.members if document.get(name) is not None}


def validate(request: Mapping[str, Any], shape: Shape) -> None:
    """Check a request against the operation's input shape.

    Raises ValidationError, in AWS's words, with every constraint that the request violates.
    """
    breaches = list(_breaches(request, shape, ""))
    if breaches:
        count = f"{len(breaches)} validation error{'s' * (len(breaches) > 1)} detected: "
        raise ValidationError(count + "; ".join(breaches))


def _breaches(value: Any, shape: Shape, path: str) -> Iterator[str]:
    # `bool` is an `int` in Python, but not in the API.
    if not isinstance(value, _TYPES.get(shape.type_name, object)) or (
        isinstance(value, bool) and shape.type_name != "boolean"
    ):
        yield (
            f"Value at '{path or 'request'}' failed to satisfy constraint: "
            f"Member must be of type {shape.type_name}"
        )
    elif shape.type_name == "structure":
        yield from _structure_breaches(value, shape, path)
    elif shape.type_name == "list":
        yield from own_breaches(value, shape, path)
        # AWS counts the members of a list from 1 in its messages.
        for number, item in enumerate(value, 1):
            yield from _breaches(item, shape.member, f"{path}.{number}.member")
    elif shape.type_name == "map":
        yield from own_breaches(value, shape, path)
        for name, item in value.items():
            yield from _breaches(name, shape.key, f"{path}.key")
            yield from _breaches(item, shape.value, f"{path}.{name}.member")
    else:
        yield from own_breaches(value, shape, path)


def own_breaches(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Yield the constraints that a value of the shape's type violates, not those of its members."""
    if shape.type_name in ("list", "map"):
        yield from _size_breaches(value, shape, path)
    elif shape.type_name == "string":
        yield from _string_breaches(value, shape, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _number_breaches(value, shape, path)


# AWS's model allows empty texts in these shapes; AWS itself refuses them.
_NEVER_EMPTY = frozenset(
    f"{kind}Container{part}"
    for kind in ("", "Training")
    for part in ("Argument", "EntrypointString")
)
_TYPES: Mapping[str, Any] = {
    "structure": Mapping,
    "list": list,
    "map": Mapping,
    "string": str,
    "integer": int,
    "long": int,
    "float": int | float,
    "double": int | float,
    "boolean": bool,
    "timestamp": int | float,
}


def _structure_breaches(value: Mapping[str, Any], shape: Shape, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _breach(None, _below(path, name), "Member must not be null")
    for name, item in value.items():
        if name in shape.members and item is not None:
            yield from _breaches(item, shape.members[name], _below(path, name))


def _below(path: str, name: str) -> str:
    """Return the path of a member in lower camel case, as in AWS's messages: `trainingJobName`."""
    lower = name[:1].lower() + name[1:]
    return f"{path}.{lower}" if path else lower


def _size_breaches(value: Any, shape: Shape, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    low = 1 if shape.name in _NEVER_EMPTY else low
    if low is not None and len(value) < low:
        yield _breach(value, path, f"Member must have length greater than or equal to {low}")
    if high is not None and len(value) > high:
        yield _breach(value, path, f"Member must have length less than or equal to {high}")


def _string_breaches(value: str, shape: Shape, path: str) -> Iterator[str]:
    yield from _size_breaches(value, shape, path)
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not _compiled(pattern).fullmatch(value):
        yield _breach(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    if shape.enum and value not in shape.enum:
        yield _breach(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")


def _number_breaches(value: float, shape: Shape, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield _breach(value, path, f"Member must have value greater than or equal to {low}")
    if high is not None and value > high:
        yield _breach(value, path, f"Member must have value less than or equal to {high}")


def _breach(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


@cache
def _compiled(pattern: str) -> "regex.Pattern[str]":
    # Java's patterns write characters above U+FFFF as two surrogates, Python's as one character.
    whole = re.sub(r"(\\uD800\\uDC00-\\uDBFF\\uDFFF)", r"\\U00010000-\\U0010FFFF", pattern)
    # `regex` in place of `re`, which does not know Unicode classes such as \p{L} in AWS's patterns.
    return regex.compile(whole)
