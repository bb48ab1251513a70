"""The public interface: names resolve, stay light, and are all that docs and notebooks use."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_packaging import run_python

ROOT = Path(__file__).parents[1]
PACKAGES = ("longspan.training", "longspan.inference", "longspan.pipelines")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
HEAVY = {"torch", "boto3", "botocore", "sagemaker", "pydantic", "pyarrow", "starlette"}


def python_blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)


def code_of(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        yield from ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        return
    yield from python_blocks(text)
    for command in re.findall(r"python -c \"([^\"]+)\"", " ".join(text.split())):
        yield "\n".join(part.strip() for part in command.split(";"))


def imported_from(code: str) -> Iterator[tuple[str, str]]:
    """Module and name of each import from longspan."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("longspan"):
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                assert not alias.name.startswith("longspan"), alias.name


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_resolves_and_is_documented(package: str) -> None:
    module = importlib.import_module(package)
    assert dir(module) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name).__class__ is not type(module), name
        assert f"`{name}`" in API, name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_importing_the_packages_loads_nothing_heavy() -> None:
    loaded = run_python(f"import sys, {', '.join(PACKAGES)}\nprint(*sys.modules)")
    assert not HEAVY & set(loaded.split())


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_docs_and_notebooks_use_the_public_interface_alone(path: Path) -> None:
    for code in code_of(path):
        for module, name in imported_from(code):
            assert module in PACKAGES
            assert name in importlib.import_module(module).__all__


def test_the_first_example_of_the_page_translates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(python_blocks(API)[0], names)
    assert (tmp_path / "model/config.json").is_file()
    translation = names["translation"]
    assert str(translation.text) in capsys.readouterr().out  # type: ignore[attr-defined]
