"""YAML that keeps the line of every value, and refuses a key that stands twice.

Numbers and truths are those of YAML 1.2: `1e-3` is a number, which PyYAML's older rules take for a
text, and `no` is a text (Norwegian), which they take for false.
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
    """A document: its plain values, and the line number of each path in it, from 1."""

    value: Any
    line_numbers: dict[Place, int]
    mistakes: tuple[Mistake, ...] = ()


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader; the class attribute below belongs to this subclass alone."""


_OLDER = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
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
    """One document. A file that is not YAML is one mistake, at its line."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return Parsed({}, {})
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
            yield Mistake((*path, key), f"stands here twice, first on line {seen[key]}")
        seen.setdefault(key, line)
        yield from _duplicates(child, (*path, key))


def _children(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node, int]]:
    """Keys or numbers of what a mapping or list holds, each with its line."""
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            yield str(key.value), child, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, child in enumerate(node.value):
            yield number, child, child.start_mark.line + 1
