"""docs/config.md: its tables are those of the sections, its examples are valid configs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from longspan.pipelines.config import Config, parse_config
from longspan.pipelines.config.search_space import DEFAULT_SPACE
from longspan.pipelines.config.template import default_of, section_of, yaml_line
from longspan.pipelines.config.tuning import TuningSection

PAGE = Path(__file__).parents[3] / "docs" / "config.md"
TEXT = PAGE.read_text(encoding="utf-8")
_EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT.split("## Every key")[0], flags=re.DOTALL)


def reference() -> str:
    """A table for each section, in the order of the file."""
    return "\n".join(_tables("", Config))


def _tables(name: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"### {f'`{name}`' if name else 'The whole file'}\n"
    yield "| key | default | meaning |\n|---|---|---|"
    for key, field in model.model_fields.items():
        yield f"| `{key}` | {_default(field)} | {field.description} |"
    yield ""
    if model is TuningSection:
        yield "Searched when `search_space` is left out:\n\n```yaml"
        yield from (f"{key}: {yaml_line(values)}" for key, values in DEFAULT_SPACE.items())
        yield "```\n"
    for key, field in model.model_fields.items():
        inner = section_of(field.annotation)
        if inner is not None:
            yield from _tables(f"{name}.{key}".removeprefix("."), inner)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if section_of(field.annotation) is not None:
        return "below" if field.default_factory else "none; below"
    value: Any = default_of(field)
    if value is None:
        return ""
    return "below" if value and isinstance(value, dict) else f"`{yaml_line(value)}`"


def test_the_tables_are_the_models() -> None:
    """After a change of a model: python tests/pipelines/config/test_reference.py"""
    assert reference() in TEXT


@pytest.mark.parametrize("example", _EXAMPLES)
def test_each_example_can_be_used(example: str) -> None:
    text = example if "data:" in example else f"data: {{pairs: a.tsv}}\n{example}"
    parse_config(text)


if __name__ == "__main__":
    start = TEXT.index("### The whole file")
    PAGE.write_text(TEXT[:start] + reference(), encoding="utf-8")
