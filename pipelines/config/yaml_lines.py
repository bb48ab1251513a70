"""Parse YAML with the line of every value, and without duplicate keys.

Numbers and booleans follow YAML 1.2: `1e-3` is a number and `no` a text (Norwegian). PyYAML
follows YAML 1.1, where `1e-3` is a text and `no` is false.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from longspan.training.mistakes import Mistake, Place

__all__ = ["Parsed", "parse_yaml"]


@dataclass(frozen=True)
class Parsed:
    """A YAML document: plain values, the line of each place (from 1), and mistakes."""

    value: Any
    line_numbers: dict[Place, int]
    mistakes: tuple[Mistake, ...] = ()


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with resolvers of its own, which are set below."""


_OLDER = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
# A new mapping: the one of SafeLoader also serves other readers in this process.
_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] not in _OLDER]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def parse_yaml(text: str) -> Parsed:
    """Parse a document; text that is not YAML gives one mistake with its line."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return Parsed({}, {})
        # Found in the nodes: the constructed value keeps only the last of equal keys.
        mistakes = tuple(_duplicates(root, ()))
        value = loader.construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Parsed(None, *_syntax_mistake(error))
    finally:
        loader.dispose()
    return Parsed(value, dict(_line_numbers(root, ())), mistakes)


def _syntax_mistake(error: Exception) -> tuple[dict[Place, int], tuple[Mistake, ...]]:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or " ".join(str(error).split())
    lines: dict[Place, int] = {("",): mark.line + 1} if mark is not None else {}
    return lines, (Mistake(("",), f"expected YAML, got something else: {reason}"),)


def _line_numbers(node: yaml.Node, path: Place) -> Iterator[tuple[Place, int]]:
    for key, child, line in _children(node):
        yield (*path, key), line
        yield from _line_numbers(child, (*path, key))


def _duplicates(node: yaml.Node, path: Place) -> Iterator[Mistake]:
    seen: dict[str | int, int] = {}
    for key, child, line in _children(node):
        if key in seen:
            yield Mistake((*path, key), f"duplicate key, first on line {seen[key]}; remove one")
        seen.setdefault(key, line)
        yield from _duplicates(child, (*path, key))


def _children(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node, int]]:
    """Yield key or number, value and line of each entry of a mapping or list."""
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            yield str(key.value), child, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, child in enumerate(node.value):
            yield number, child, child.start_mark.line + 1
