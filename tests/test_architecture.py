"""`docs/architecture.md`: the folders that it names exist, and it names those that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
# Parts of a folder of the drawing, which their parent stands for.
PARTS = {
    "inference/compression/kernels",
    "infra/local/pipeline/definition",
    "infra/local/pipeline/execution",
}


def drawn() -> set[str]:
    """The folders of the drawing, each with its parents: two columns of branches."""
    drawing = PAGE.split("```text\n")[1].split("```")[0].splitlines()
    middle = drawing[0].index("infra/")
    return {
        *_column(line[:middle] for line in drawing),
        *_column(line[middle:] for line in drawing),
    }


def _column(lines):
    path: list[str] = []
    for line in lines:
        for found in re.finditer(r"([│├└─ ]*)\b([a-z]+)/ ", line):
            depth = found.start(2) // 3
            path = [*path[:depth], found.group(2)]
            yield "/".join(path)


def named() -> set[str]:
    """Folders in backticks below the drawing."""
    text = PAGE.split("```")[2]
    return {name.rstrip("/") for name in re.findall(r"`([a-z]+/(?:[a-z_]+/)*)`", text)}


def existing() -> set[str]:
    """Every folder of code that has modules of its own or below."""
    tops = ("training", "inference", "pipelines", "infra")
    found = {path.parent for top in tops for path in (ROOT / top).rglob("__init__.py")}
    return {path.relative_to(ROOT).as_posix() for path in found}


def test_the_drawing_has_every_folder():
    inner = {name for name in existing() if name.count("/") > 2 or name in PARTS}
    assert drawn() == existing() - inner


def test_the_text_names_folders_that_exist():
    assert named()
    assert named() <= existing()


def test_the_text_names_modules_that_exist():
    for name in re.findall(r"`([a-z_/]+\.py)`", PAGE):
        assert (ROOT / name).is_file(), name
