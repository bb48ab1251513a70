"""Imports between the folders of the local cloud, as the docstring of `infra/local` draws them."""

import re
from pathlib import Path

import longspan.infra.local

FOLDER = Path(longspan.infra.local.__file__).parent
IMPORT = re.compile(r"from longspan\.infra\.local\.(\w+)\.")


def drawn() -> dict[str, set[str]]:
    """By folder, the folders to its right in the drawing."""
    found: dict[str, set[str]] = {}
    for line in re.findall(r"^    (.+)$", str(longspan.infra.local.__doc__), re.MULTILINE):
        right: set[str] = set()
        for column in reversed(re.split(r"\s{2,}", line)):
            names = column.split(", ")
            found.update({name: set(right) for name in names})
            right.update(names)
    return found


def test_folders_import_those_to_their_right() -> None:
    may_import = drawn()
    assert set(may_import) == {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    for folder, others in may_import.items():
        for path in (FOLDER / folder).rglob("*.py"):
            used = set(IMPORT.findall(path.read_text(encoding="utf-8"))) - {folder}
            assert used <= others, path
