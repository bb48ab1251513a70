"""The README and the command's help: every command documented, with an example that parses."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from longspan.pipelines.command import COMMANDS, build_parser
from longspan.training.hyperparameters import Hyperparameters

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


def subparsers() -> dict[str, argparse.ArgumentParser]:
    [action] = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(action.choices)


def shell_commands(text: str) -> list[str]:
    """The `longspan ...` lines of a text's code blocks, continued lines joined."""
    joined = text.replace("\\\n", " ")
    return re.findall(r"^[ \t]*(?:\$ )?(longspan [^\n#|<>]*)", joined, flags=re.MULTILINE)


def test_every_command_has_a_parser_help_and_an_example():
    parsers = subparsers()
    assert set(parsers) == set(COMMANDS)
    for name, parser in parsers.items():
        assert parser.description, name
        help_text = parser.format_help()
        assert "example:" in help_text
        assert f"longspan {name} " in help_text
        for action in parser._actions:
            assert action.help, f"{name}: {action.dest} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_the_help_parses(name: str):
    examples = shell_commands(subparsers()[name].epilog or "")
    assert examples
    for example in examples:
        arguments = build_parser().parse_args(shlex.split(example)[1:])
        assert arguments.command == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str):
    assert f"longspan {name} " in README


def test_the_commands_of_the_readme_parse():
    commands = [c for c in shell_commands(README) if not re.search(r"\[|\.\.\.|--help", c)]
    assert len(commands) >= len(COMMANDS)
    for command in commands:
        build_parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_the_docs_parse(page: Path):
    """Of code blocks and of text; `...`, `[` and capitals stand for what the reader fills in."""
    text = page.read_text(encoding="utf-8")
    spans = [" ".join(span.split()) for span in re.findall(r"`(longspan [^`]+)`", text)]
    named = set(COMMANDS)
    for command in shell_commands(text) + spans:
        words = shlex.split(command, comments=True)
        if len(words) > 1 and words[1].replace("|", "").isalpha():
            assert set(words[1].split("|")) <= named or words[1] == "COMMAND", command
        if command in spans or re.search(r"\[|\.\.\.|--help", command):
            continue  # a mention, which need not be whole
        build_parser().parse_args(words[1:])


def anchors(page: Path) -> set[str]:
    """Of headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)\s]+)", page.read_text(encoding="utf-8"))
    for target in targets:
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def test_every_hyperparameter_is_documented_as_it_is():
    page = (ROOT / "docs" / "hyperparameters.md").read_text(encoding="utf-8")
    for name, default, allowed, meaning in Hyperparameters.describe():
        number = f"{default:g}" if isinstance(default, float) else str(default)
        value = number.lower() if isinstance(default, bool | None) else number
        cells = [cell.replace("|", "\\|") for cell in (f"`{name}`", value, allowed, meaning)]
        assert f"| {' | '.join(cells)} |" in page


def test_pictures_are_there_and_say_what_they_show():
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
    assert len(pictures) == 2
    for text, path in pictures:
        assert len(text) > 40
        drawing = (ROOT / path).read_text(encoding="utf-8")
        assert "prefers-color-scheme: dark" in drawing
