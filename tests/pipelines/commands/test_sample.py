import argparse
from pathlib import Path

import pytest

from longspan.pipelines.commands import sample
from longspan.pipelines.config.data import SampleSection
from longspan.training.errors import DataError
from longspan.training.sample.generator import SampleSettings


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    sample.add_arguments(parser)
    return sample.run(parser.parse_args(arguments))


def small(directory: Path, *more: str) -> list[str]:
    sizes = ["--pairs", "25", "--validation", "8", "--test-per-bucket", "1"]
    return [*sizes, "--out", str(directory), *more]


def test_writes_the_sample_and_says_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*small(tmp_path / "out", "--seed", "3")) == 0
    shown = capsys.readouterr().out
    assert f"{tmp_path / 'out' / 'train.tsv'}: 25 pairs in" in shown
    lines = (tmp_path / "out" / "train.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == ["doc", "en", "ja"]
    assert len(lines) == 26


def test_the_seed_is_1_unless_given(tmp_path: Path) -> None:
    run(*small(tmp_path / "default"))
    run(*small(tmp_path / "one", "--seed", "1"))
    one, default = (tmp_path / name / "train.tsv" for name in ("one", "default"))
    assert one.read_bytes() == default.read_bytes()


def test_impossible_numbers_and_another_sample_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--pairs: expected an integer of at least 1"):
        run("--pairs", "0", "--out", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    run(*small(tmp_path))
    with pytest.raises(DataError, match="expected a sample with"):
        run(*small(tmp_path, "--seed", "2"))


def test_its_example_parses() -> None:
    parser = argparse.ArgumentParser()
    sample.add_arguments(parser)
    words = sample.EXAMPLE.split()
    assert words[:2] == ["longspan", "sample"]
    assert parser.parse_args(words[2:]).pairs == 20000


def test_command_and_config_take_the_defaults_of_the_settings():
    """`SampleSettings` is the one home of each default."""
    parser = argparse.ArgumentParser()
    sample.add_arguments(parser)
    arguments = vars(parser.parse_args(["--out", "data"]))
    defaults = SampleSettings.defaults()
    assert {name: arguments[name] for name in defaults} == defaults
    assert SampleSection().model_dump() == defaults
