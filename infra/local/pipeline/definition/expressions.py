"""Expressions in a definition: their references and their values.

`{"Get": "Parameters.Rate"}`, `{"Get": "Execution.PipelineExecutionId"}`,
`{"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}`,
`{"Std:Join": {"On": "/", "Values": [...]}}` and
`{"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "a.b"}}`,
Expressions may stand at any depth of objects and lists.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-pipeline.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from longspan.infra.local.pipeline.definition.paths import Path, look_up, parse_path

__all__ = [
    "PROPERTY_FILES",
    "Reference",
    "ReferenceValues",
    "evaluate_expression",
    "is_expression",
    "parse_reference",
    "references",
]

PROPERTY_FILES = "PropertyFiles"
_GET, _JOIN, _JSON_GET = "Get", "Std:Join", "Std:JsonGet"
_ROOTS = ("Parameters", "Execution", "Steps")


@dataclass(frozen=True)
class Reference:
    """`Steps.Train.ModelArtifacts` is root `Steps`, name `Train`, path `("ModelArtifacts",)`."""

    root: str
    name: str
    path: Path
    text: str


class ReferenceValues(Protocol):
    """Source of the values of references. Methods raise Unresolved for a missing value."""

    def get(self, reference: Reference) -> Any:
        """Return the value of a parameter, an execution variable or a step's property."""
        ...

    def property_file(self, reference: Reference) -> Any:
        """Return the content of a property file: `Steps.Evaluate.PropertyFiles.Report`."""
        ...

    def json_at(self, uri: str) -> Any:
        """Return the JSON content of an S3 URI."""
        ...


def is_expression(value: Any) -> bool:
    """Return whether a value is an expression: an object with only `Get` or a `Std:` function."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    name = next(iter(value))
    return name == _GET or name.startswith("Std:")


def parse_reference(text: Any) -> Reference:
    """Return the reference in a `Get`. Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError(f"Get expects a string, got {text!r}")
    path = parse_path(text)
    root, name = path[0], path[1] if len(path) > 1 else None
    if root not in _ROOTS or not isinstance(name, str):
        raise ValueError(f"Get expects {_choice()}, got {text!r}")
    if root != "Steps" and len(path) > 2:
        raise ValueError(f"Get expects {root}.<name>, got {text!r}")
    return Reference(str(root), name, path[2:], text)


def _choice() -> str:
    return " or ".join(f"{root}.<name>" for root in _ROOTS)


def references(value: Any) -> Iterator[Reference]:
    """Yield all references in a value. Raises ValueError for an invalid expression."""
    if is_expression(value):
        yield from _references(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def _references(expression: Mapping[str, Any]) -> Iterator[Reference]:
    name, body = next(iter(expression.items()))
    if name == _GET:
        yield parse_reference(body)
    elif name == _JOIN:
        _, values = _join_parts(body)
        yield from references(values)
    elif name == _JSON_GET:
        source, path = _json_get_parts(body)
        # Path may be an expression too, and what it refers to is a dependency as well.
        found = list(references([source, path]))
        if "PropertyFile" in body and not (found and found[0].path[:1] == (PROPERTY_FILES,)):
            raise ValueError(
                f"{_JSON_GET} expects PropertyFile "
                f'{{"Get": "Steps.<step>.{PROPERTY_FILES}.<name>"}}, got {source!r}'
            )
        yield from found
    else:
        raise ValueError(f"unknown function {name}; known are {_GET}, {_JOIN}, {_JSON_GET}")


def _join_parts(body: Any) -> tuple[str, list[Any]]:
    if not isinstance(body, dict) or not set(body) <= {"On", "Values"}:
        raise ValueError(f"{_JOIN} expects On and Values, got {body!r}")
    on, values = body.get("On", ""), body.get("Values")
    if not isinstance(on, str) or not isinstance(values, list):
        raise ValueError(f"{_JOIN} expects a string On and a list Values, got {body!r}")
    return on, values


def _json_get_parts(body: Any) -> tuple[Any, Any]:
    """Return the file or URI, and the path."""
    if (
        not isinstance(body, dict)
        or set(body) not in ({"PropertyFile", "Path"}, {"S3Uri", "Path"})
        or not (isinstance(body["Path"], str) or is_expression(body["Path"]))
    ):
        raise ValueError(f"{_JSON_GET} expects PropertyFile or S3Uri, and Path, got {body!r}")
    if isinstance(body["Path"], str):
        parse_path(body["Path"])
    return body.get("PropertyFile", body.get("S3Uri")), body["Path"]


def evaluate_expression(value: Any, values: ReferenceValues) -> Any:
    """Return a value with all expressions replaced. Raises Unresolved, ValueError."""
    if is_expression(value):
        return _evaluate(value, values)
    if isinstance(value, dict):
        return {name: evaluate_expression(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [evaluate_expression(item, values) for item in value]
    return value


def _evaluate(expression: Mapping[str, Any], values: ReferenceValues) -> Any:
    name, body = next(iter(expression.items()))
    if name == _GET:
        return values.get(parse_reference(body))
    if name == _JOIN:
        on, parts = _join_parts(body)
        return on.join(_text(evaluate_expression(part, values)) for part in parts)
    if name == _JSON_GET:
        source, path = _json_get_parts(body)
        wanted = parse_path(evaluate_expression(path, values))
        if "PropertyFile" in body:
            return look_up(values.property_file(parse_reference(source[_GET])), wanted)
        return look_up(values.json_at(str(evaluate_expression(source, values))), wanted)
    raise ValueError(f"unknown function {name}")


def _text(value: Any) -> str:
    """Return a part of a joined string; booleans as in JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"{_JOIN} expects strings, numbers and booleans, got {value!r}")
