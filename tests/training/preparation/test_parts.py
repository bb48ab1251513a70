"""Preparation over several machines: parts of the input, then a merge."""

import json
from pathlib import Path
from typing import Any

import pytest

from longspan.training.errors import DataError
from longspan.training.pairs.columns import Columns
from longspan.training.preparation.parts import PART, read_parts, write_part
from longspan.training.preparation.prepare import prepare
from longspan.training.preparation.settings import (
    CleaningRules,
    CollectSettings,
    PrepareSettings,
    SplitSettings,
)
from longspan.training.tokenizer.settings import VocabularySettings

RULES = CollectSettings(columns=Columns(), format=None, cleaning=CleaningRules(min_words=2))
SETTINGS = PrepareSettings(
    cleaning=RULES.cleaning,
    splits=SplitSettings(validation_size=20, test_size=20),
    vocabulary=VocabularySettings(type="word", size=400, joint=False),
    tokenizer_pairs=100,
)


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Five files with duplicates across them, rows too short, and rows that are none."""
    folder = tmp_path_factory.mktemp("pairs")
    paths = []
    for number in range(5):
        rows = [f"word{i % 90} is {i}\twort{i % 90} ist {i}" for i in range(number * 60, 400)]
        rows[3:3] = ["short\tkurz", "no tab at all", "a b\tc d"]
        path = folder / f"{number}.tsv"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        paths.append(str(path))
    return paths


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("shares", [[5], [2, 3], [1, 1, 1, 1, 1], [3, 0, 2], [0, 5]])
def test_parts_become_what_one_machine_would_have_made(
    files: list[str], tmp_path: Path, shares: list[int]
):
    remaining = list(files)
    for number, share in enumerate(shares):
        mine, remaining = remaining[:share], remaining[share:]
        write_part(mine, tmp_path / f"parts/algo-{number}", RULES, quiet)
    prepare([], tmp_path / "merged", SETTINGS, notify=quiet, parts=tmp_path / "parts")
    prepare(files, tmp_path / "alone", SETTINGS, notify=quiet)
    assert contents(tmp_path / "merged") == contents(tmp_path / "alone")


def refused(directory: Path, settings: CollectSettings = RULES) -> str:
    with pytest.raises(DataError) as caught:
        read_parts(directory, settings)
    return str(caught.value)


def test_parts_by_other_settings_are_refused(files: list[str], tmp_path: Path):
    write_part(files[:1], tmp_path / "a", RULES, quiet)
    other = CollectSettings(columns=Columns(), format=None, cleaning=CleaningRules(min_words=9))
    message = refused(tmp_path, other)
    assert "expected cleaning" in message
    assert "same options" in message


def test_a_part_that_is_not_whole_is_refused(files: list[str], tmp_path: Path):
    write_part(files[:1], tmp_path / "a", RULES, quiet)
    keys = tmp_path / "a/spool.keys"
    keys.write_bytes(keys.read_bytes()[:-24])
    assert "pairs, got" in refused(tmp_path)
    (tmp_path / "a" / PART).unlink()
    assert "expected a complete part" in refused(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "part.json: expected a part's description: got invalid JSON at line 1 "),
        ("[]", "part.json: expected a part's description: expected an object, got a list"),
        ('{"format": 9}', "expected format 1, got 9"),
        ('{"format": 1}', "settings: is missing"),
        ('{"format": 1, "settings": 3}', "settings: expected an object, got 3"),
        ('{"format": 1, "settings": {}, "read": "x"}', "read: expected an integer, got 'x'"),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, text: str, words: str):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / PART).write_text(text)
    assert words in refused(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("removed", {}, "removed.malformed row: is missing"),
        ("removed", {"malformed row": 3}, "removed.malformed row: expected an object, got 3"),
        ("inputs", [{"name": "a"}], "inputs[0].bytes: is missing"),
        ("inputs", {}, "inputs: expected a list, got an object"),
    ],
)
def test_a_description_changed_by_hand_is_refused(
    files: list[str], tmp_path: Path, name: str, value: Any, words: str
):
    write_part(files[:1], tmp_path / "a", RULES, quiet)
    path = tmp_path / "a" / PART
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    assert words in refused(tmp_path)


def test_no_parts_are_refused(tmp_path: Path):
    assert "got none" in refused(tmp_path)


def test_empty_parts_alone_are_an_empty_input(tmp_path: Path):
    write_part([], tmp_path / "parts/a", RULES, quiet)
    part: Any = json.loads((tmp_path / "parts/a" / PART).read_text())
    assert (part["pairs"], part["read"]) == (0, 0)
    with pytest.raises(DataError, match="got an empty input"):
        prepare([], tmp_path / "out", SETTINGS, notify=quiet, parts=tmp_path / "parts")
