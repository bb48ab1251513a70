"""The CloudFormation template: its text, and its parameters."""

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from longspan.infra.errors import StackError

__all__ = ["TEMPLATE", "body", "parameters", "read_template"]

TEMPLATE = Path(__file__).with_name("template.yaml")


class _Loader(yaml.SafeLoader):
    """Takes CloudFormation's short functions, `!Ref`, for what they stand for."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: str(value).split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _function)


def read_template(path: Path = TEMPLATE) -> dict[str, Any]:
    """As CloudFormation's JSON has it."""
    with path.open(encoding="utf-8") as file:
        return dict(yaml.load(file, _Loader))


def body() -> str:
    """As JSON without spaces, comments and the console's labels: a request takes 51,200 bytes."""
    template = {name: part for name, part in read_template().items() if name != "Metadata"}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            code = resource["Properties"]["Code"]
            code["ZipFile"] = ast.unparse(ast.parse(code["ZipFile"]))
    return json.dumps(template, separators=(",", ":"), default=str)


def parameters(given: Mapping[str, str], template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As the API takes them; what is not given stays as it is in the stack, or as its default.

    Raises StackError for a name that the template does not know.
    """
    known = template["Parameters"]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise StackError(
            f"{', '.join(unknown)}: not a parameter of the template; known: {', '.join(known)}"
        )
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
