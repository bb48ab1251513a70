"""What is shipped: folders, imports, versions."""

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = ("training", "inference", "pipelines", "infra")

ALLOWED = {
    "training": {"training"},
    "inference": {"inference", "training"},
    "pipelines": {"pipelines", "inference", "training"},
    "infra": {"infra", "training"},
}
# Folders within one of the four, and those that they must not import.
FENCES = {
    "inference/search": {
        "accounting", "compression", "translation", "requests", "workers", "server", "evaluation",
        "diagnosis",
    },
    "inference/accounting": {
        "compression", "translation", "requests", "workers", "server", "evaluation", "diagnosis",
    },
    "inference/compression": {
        "accounting", "translation", "requests", "workers", "server", "evaluation", "diagnosis",
    },
    "inference/translation": {"requests", "workers", "server", "evaluation", "diagnosis"},
    "inference/requests": {"workers", "server", "evaluation", "diagnosis"},
    "inference/workers": {"server", "evaluation", "diagnosis"},
    "inference/server": {"evaluation", "diagnosis"},
}  # fmt: skip
# Folders that run in the image, which has none of these distributions.
IN_THE_IMAGE = ("training", "inference", "pipelines/jobs")
NOT_IN_THE_IMAGE = {"sagemaker", "boto3", "botocore", "moto"}


def python_files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def imports_of(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever it stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_folder_with_code_is_in_the_wheel():
    packages = {
        ".".join(("longspan", *path.parent.relative_to(ROOT).parts))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packages
    modules_without = {path.parent for path in python_files()} - {
        path.parent for path in python_files() if path.name == "__init__.py"
    }
    assert not modules_without
    mapping = PROJECT["tool"]["setuptools"]["package-dir"]
    assert mapping == {f"longspan.{folder}": folder for folder in FOLDERS}


@pytest.mark.parametrize("path", python_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_keep_to_their_layer(path: Path):
    name = path.relative_to(ROOT).as_posix()
    folder = name.split("/")[0]
    imported = imports_of(path)
    ours = {module.split(".")[1] for module in imported if module.startswith("longspan.")}
    assert ours <= ALLOWED[folder]
    if name.startswith(IN_THE_IMAGE):
        assert not {module.split(".")[0] for module in imported} & NOT_IN_THE_IMAGE


@pytest.mark.parametrize("folder", FENCES)
def test_a_folder_does_not_import_those_above_it(folder: str):
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    parent = f"longspan.{folder.split('/')[0]}."
    for path in paths:
        imported = {name.removeprefix(parent) for name in imports_of(path) if parent in name}
        assert not {name.split(".")[0] for name in imported} & FENCES[folder], path


def modules_of(folder: str) -> list[str]:
    return [
        ".".join(("longspan", *path.relative_to(ROOT).with_suffix("").parts))
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [("pipelines", {"torch"}), ("training", {"sagemaker", "boto3"})],
)
def test_importing_a_folder_leaves_heavy_packages_alone(folder: str, forbidden: set[str]):
    modules = modules_of(folder)
    assert modules
    loaded = run_python(
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    assert not forbidden & set(loaded.split())


def test_the_installed_version_is_the_projects():
    assert importlib.metadata.version("longspan") == PROJECT["project"]["version"]


def test_the_changelog_has_a_place_for_what_comes():
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["serve", "--help"]])
def test_help_loads_nothing_heavy(words):
    code = f"""
import contextlib, io, sys
from longspan.pipelines.command import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main({words})
print(sorted({{"boto3", "numpy", "sagemaker", "torch"}} & sys.modules.keys()))
print("pydantic" in sys.modules and {words} == ["--help"])
"""
    assert run_python(code).split() == ["[]", "False"]


def test_the_server_loads_numpy_for_alignments_alone():
    code = """
import sys
import longspan.inference.server.serving
print(sorted({"boto3", "numpy", "sagemaker", "torch"} & sys.modules.keys()))
"""
    assert run_python(code).split() == ["[]"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_assigns_a_name_twice(folder: str):
    """A second constant of the same name would replace the first one for the whole module."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        names = [
            node.id
            for statement in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(statement, ast.Assign | ast.AnnAssign)
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        twice = {name for name in names if names.count(name) > 1}
        # Names of a comprehension are its own.
        assert not {name for name in twice if name.lstrip("_").isupper()}, path
