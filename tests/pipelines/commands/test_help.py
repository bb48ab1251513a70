"""pipelines/command.py: `--help` of every command, as a person reads it."""

import argparse
import re
from collections.abc import Iterator

import pytest

from longspan.pipelines.command import COMMANDS, build_parser


def subparsers() -> dict[str, argparse.ArgumentParser]:
    [found] = [
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    return dict(found.choices)


def helps(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        yield "/".join(action.option_strings) or action.dest, action.help or ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_is_explained_and_every_default_told_alike(command: str) -> None:
    """Not by its default alone: that says nothing of what it is."""
    for name, text in helps(subparsers()[command]):
        assert text, name
        assert not text.startswith("default"), name
        assert not re.search(r"default(?!s|:)", text), (name, text)
