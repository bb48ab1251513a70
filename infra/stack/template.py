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
    """YAML loader that expands CloudFormation's short functions, such as `!Ref`."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        # `!GetAtt Name.Attribute` is a list of two in JSON.
        return {name: str(value).split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _function)


def read_template(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template in the form of CloudFormation's JSON."""
    with path.open(encoding="utf-8") as file:
        return dict(yaml.load(file, _Loader))


def body() -> str:
    """Return the template as compact JSON, within a request's limit of 51,200 bytes.

    Comments, the console's labels, and comments and docstrings in code of functions are left out.
    """
    template = {name: part for name, part in read_template().items() if name != "Metadata"}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            code = resource["Properties"]["Code"]
            code["ZipFile"] = _bare(code["ZipFile"])
    return json.dumps(template, separators=(",", ":"), default=str)


def _bare(code: str) -> str:
    """Return code without comments and docstrings, in ASCII: CloudFormation replaces the rest."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.unparse(tree).encode("ascii", "backslashreplace").decode()


def parameters(given: Mapping[str, str], template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return parameters for the API; those that are not given keep their value or default.

    Raises StackError for an unknown parameter.
    """
    known = template["Parameters"]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise StackError(
            f"expected parameters of the template, got {', '.join(unknown)}; the template has "
            f"{', '.join(known)}"
        )
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
