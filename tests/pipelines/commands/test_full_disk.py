"""A disk that is really full: one line, exit code 1, nothing unfinished left, nothing lost."""

from pathlib import Path

import pytest

from longspan.pipelines.command import main
from tests.small_disk import fill, small_disk


@pytest.fixture
def disk(tmp_path):
    """A file system of one megabyte."""
    with small_disk(tmp_path / "disk", "1m") as folder:
        yield folder


@pytest.fixture
def pairs(tmp_path) -> Path:
    path = tmp_path / "pairs.tsv"
    path.write_text("en\tja\n" + "".join(f"{i} one two\t{i} two one\n" for i in range(30)))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def refused(capsys, *arguments) -> str:
    """The one line of a command for which there is no room."""
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 1
    errors = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("longspan: error:")
    ]
    assert len(errors) == 1
    return errors[0]


def test_sample(disk, capsys):
    """Fills the disk by itself, in the middle of a file."""
    line = refused(capsys, "sample", "--pairs", 20_000, "--out", disk / "new" / "sample")
    assert "no space left on the disk" in line
    assert contents(disk) == {}


def test_prepare(disk, tmp_path, capsys):
    """Fills the disk by itself, in the middle of a file."""
    path = tmp_path / "many.tsv"
    path.write_text("".join(f"{i} one two\t{i} two one\n" for i in range(60_000)))
    line = refused(capsys, "prepare", path, "--out", disk / "new" / "corpus")
    assert "no space left on the disk" in line
    assert f"{disk}/new/" in line
    assert contents(disk) == {}


@pytest.mark.parametrize("out", ["new/evaluation", "evaluation"])
def test_evaluate(disk, pairs, tmp_path, capsys, out):
    translations = tmp_path / "translations.txt"
    translations.write_text("two one\n" * 30)
    command = ["evaluate", str(translations), str(pairs), "--tokenize", "none"]
    assert main([*command, "--out", str(disk / "evaluation")]) == 0
    fill(disk)
    before = contents(disk)
    translations.write_text("one two\n" * 30)
    line = refused(capsys, *command, "--out", disk / out)
    assert "no space left on the disk" in line
    assert contents(disk) == before


def test_train_keeps_its_last_good_checkpoint(
    disk, write_prepared, tiny_settings, tmp_path, capsys
):
    settings = [f"--set={name}={value}" for name, value in tiny_settings.items()]
    prepared = write_prepared(tmp_path / "prepared")
    command = ["train", str(prepared), "--checkpoints", str(disk / "checkpoints"), "--threads", "1"]
    command += ["--out", str(tmp_path / "model"), *settings]
    assert main([*command, "--set=max_num_batches=10"]) == 0
    filler = fill(disk)
    before = contents(disk)
    longer = [*command, "--set=max_num_batches=30"]
    line = refused(capsys, *longer)
    assert "expected to write a checkpoint, got: " in line
    assert "No space left on device" in line
    assert "earlier ones are intact: make room there" in line
    assert contents(disk) == before
    filler.unlink()
    assert main(longer) == 0
    assert "resum" in capsys.readouterr().out


def test_train_keeps_the_model_that_was_there(
    disk, write_prepared, tiny_settings, tmp_path, capsys
):
    settings = [f"--set={name}={value}" for name, value in tiny_settings.items()]
    prepared = write_prepared(tmp_path / "prepared")
    command = ["train", str(prepared), "--checkpoints", str(tmp_path / "checkpoints"), *settings]
    command += ["--threads", "1", "--out", str(disk / "new" / "model")]
    filler = fill(disk)
    assert "no space left on the disk" in refused(capsys, *command)
    assert set(contents(disk)) == {"filler"}
    filler.unlink()
    assert main(command) == 0
    fill(disk)
    before = contents(disk)
    assert "no space left on the disk" in refused(capsys, *command)
    assert contents(disk) == before
