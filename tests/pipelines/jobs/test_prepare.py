"""The container's `prepare`: inputs, output, failures and, in its own process, SIGTERM."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import pytest

from longspan.pipelines.command import main as command
from longspan.pipelines.jobs import prepare as prepare_job
from longspan.pipelines.jobs.prepare import input_files
from longspan.training.container.paths import ContainerPaths
from longspan.training.corpus.prepared import Prepared
from longspan.training.errors import DataError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.directory import save_model
from longspan.training.model.model import Model
from longspan.training.pairs.pairs import read_pairs
from tests.in_process import call
from tests.training.saved_datasets import save_dataset, save_dataset_dict

WORDS = ["cat", "dog", "bird", "fish", "house", "river", "stone", "cloud", "tree", "road"]
KANJI = ["猫", "犬", "鳥", "魚", "家", "川", "石", "雲", "木", "道"]
OPTIONS = ["--vocabulary-size", "400", "--validation-size", "30", "--test-size", "30"]


def rows(first, count):
    for number in range(first, first + count):
        digits = [int(d) for d in str(1000 + number)]
        source = " ".join(WORDS[d] for d in digits) + f" number {number} ."
        yield source, "".join(KANJI[d] for d in digits) + f"は{number}番です。"


def tsv(first, count):
    return "".join(f"{source}\t{target}\n" for source, target in rows(first, count)).encode()


@pytest.fixture
def paths(tmp_path):
    return ContainerPaths(tmp_path / "ml")


def put(paths, name, content):
    path = paths.processing_input(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def start(paths, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "longspan.pipelines.jobs", "prepare", *options],
        env={**os.environ, "LONGSPAN_BASE": str(paths.base), "PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(paths, *options):
    done = call(lambda: prepare_job.main(options, {"LONGSPAN_BASE": str(paths.base)}))
    return done.returncode, done.stdout, done.stderr


def test_several_files_become_what_the_command_writes(paths, tmp_path, capsys):
    put(paths, "pairs/part-0.tsv", tsv(0, 300))
    lines = (json.dumps({"en": s, "ja": t}) + "\n" for s, t in rows(300, 300))
    put(paths, "pairs/nested/part-1.jsonl.gz", gzip.compress("".join(lines).encode()))
    put(paths, "pairs/_SUCCESS", b"")
    put(paths, "pairs/.part-0.tsv.crc", b"\0\1")
    put(paths, "pairs/.temporary/part-9.tsv", b"\0\1")
    output = paths.processing_output("prepared")
    output.mkdir(parents=True)
    inode = output.stat().st_ino
    status, printed, errors = run(paths, *OPTIONS)
    assert status == 0, errors
    # The folder itself may be a mount, which cannot be replaced.
    assert output.stat().st_ino == inode
    prepared = Prepared.open(output)
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["pairs"]["read"] == 600
    assert len(prepared.train) == manifest["pairs"]["train"]
    assert str(manifest["pairs"]["train"]) in printed
    assert not paths.message.exists()
    pairs = paths.processing_input("pairs")
    files = [pairs / "nested/part-1.jsonl.gz", pairs / "part-0.tsv"]
    out = tmp_path / "by-command"
    assert command(["prepare", *map(str, files), "--out", str(out), *OPTIONS]) == 0
    ours, theirs = (json.loads((d / "manifest.json").read_text()) for d in (output, out))
    assert ours == theirs
    # Again, as in a second try of the same job: in place of what is there.
    assert run(paths, *OPTIONS)[0] == 0
    assert json.loads((output / "manifest.json").read_text()) == ours


def test_the_input_model_gives_the_tokenizer(paths, tmp_path):
    put(paths, "pairs/pairs.tsv", tsv(0, 300))
    assert run(paths, *OPTIONS)[0] == 0
    first = Prepared.open(paths.processing_output("prepared"))
    sizes = dict.fromkeys(("rnn_num_hidden", "num_embed_source", "num_embed_target"), 4)
    h = Hyperparameters(**sizes, attention_dimension=4)
    model = Model(h, len(first.tokenizer.source), len(first.tokenizer.target))
    save_model(tmp_path / "model", model, h, first.tokenizer)

    other = ContainerPaths(tmp_path / "other")
    put(other, "pairs/pairs.tsv", tsv(2000, 200).replace(b"stone", b"granite"))
    other.processing_input("model").mkdir()
    with tarfile.open(other.processing_input("model") / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "model", ".")
    status, _, errors = run(other, *OPTIONS)
    assert status == 0, errors
    second = Prepared.open(other.processing_output("prepared"))
    assert second.tokenizer.fingerprint == first.tokenizer.fingerprint
    decoded = second.tokenizer.source.decode(second.train.source(0).tolist())
    assert decoded.endswith(" .")
    assert "granite" in decoded or "number" in decoded


def test_held_out_sets_are_given_as_one_file_or_two_parallel_ones(paths):
    put(paths, "pairs/pairs.tsv", tsv(0, 300))
    put(paths, "validation/dev.tsv", tsv(400, 5))
    for language, column in (("en", 0), ("ja", 1)):
        content = "".join(row[column] + "\n" for row in rows(500, 7))
        put(paths, f"test/test.{language}", content.encode())
    status, _, errors = run(paths, "--vocabulary-size", "400", "--no-joined")
    assert status == 0, errors
    output = paths.processing_output("prepared")
    assert [p.source for p in read_pairs(output / "validation.tsv")] == [s for s, _ in rows(400, 5)]
    assert [p.source for p in read_pairs(output / "test.tsv")] == [s for s, _ in rows(500, 7)]


def failure(paths, *options):
    status, _, errors = run(paths, *options)
    assert status == 1
    lines = [line for line in errors.splitlines() if line.startswith("longspan: error: ")]
    assert lines == [errors.splitlines()[-1]]
    assert "Traceback" not in errors
    message = paths.message.read_text()
    assert lines == [f"longspan: error: {message}"]
    assert not list(paths.processing_output("prepared").glob("*"))
    return message


def test_no_files_and_too_many_are_refused_by_name(paths):
    assert "pairs: expected files of pairs, got no such folder" in failure(paths)
    put(paths, "pairs/_SUCCESS", b"")
    assert "got an empty folder; check the job's input pairs" in failure(paths)
    put(paths, "pairs/a.tsv", tsv(0, 300))
    put(paths, "validation/a.tsv", tsv(400, 5))
    put(paths, "validation/b.tsv", tsv(500, 5))
    assert "validation: expected one file, or two parallel ones" in failure(paths)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--vocabulary-size", "many"], "--vocabulary-size: invalid int value: 'many'"),
        (
            ["--vocabulary-size", "0"],
            "--vocabulary-size: expected an integer from 5 to ",
        ),
        (["--out", "elsewhere"], "unrecognized arguments: --out elsewhere"),
        (["--vocab", "400"], "unrecognized arguments: --vocab 400"),
    ],
)
def test_a_wrong_option_is_the_message(paths, options, reason):
    put(paths, "pairs/a.tsv", tsv(0, 300))
    assert reason in failure(paths, *options)


def test_what_prepare_did_not_write_stays(paths):
    put(paths, "pairs/a.tsv", tsv(0, 300))
    output = paths.processing_output("prepared")
    output.mkdir(parents=True)
    (output / "thesis.txt").write_text("dear")
    status, _, errors = run(paths, *OPTIONS)
    assert status == 1
    assert "expected a prepared corpus to overwrite" in errors
    assert (output / "thesis.txt").read_text() == "dear"


def test_sigterm_ends_it_with_a_message_and_without_output(paths):
    put(paths, "pairs/a.tsv", tsv(0, 50_000))
    job = start(paths, "--vocabulary-size", "8000")
    scratch = paths.processing_output("prepared") / ".unfinished"
    deadline = time.monotonic() + 180
    while not scratch.exists():  # it is at work
        assert job.poll() is None, job.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    job.send_signal(signal.SIGTERM)
    _, errors = job.communicate(timeout=180)
    assert job.returncode == 143, errors
    assert "Traceback" not in errors
    assert paths.message.read_text().startswith("stopped by a signal")
    assert not paths.processing_output("prepared").exists()


@pytest.mark.long
@pytest.mark.parametrize("part", [number / 12 for number in range(12)])
def test_sigterm_at_any_moment_leaves_all_or_nothing_and_no_traceback(paths, part):
    put(paths, "pairs/a.tsv", tsv(0, 600))
    begun = time.monotonic()
    start(paths, *OPTIONS).communicate(timeout=180)
    seconds = time.monotonic() - begun
    output = paths.processing_output("prepared")
    shutil.rmtree(output)
    job = start(paths, *OPTIONS)
    time.sleep(seconds * part)
    job.send_signal(signal.SIGTERM)
    _, errors = job.communicate(timeout=180)
    # Before and after its own time the system ends it.
    assert job.returncode in (143, -signal.SIGTERM, 0), errors
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors
    if job.returncode != -signal.SIGTERM:
        assert not output.exists() or Prepared.open(output).train
        assert not (output / ".unfinished").exists()


def test_files_come_in_the_same_order_everywhere(tmp_path):
    for name in ("b.tsv", "a.tsv", "c/a.tsv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [str(tmp_path / name) for name in ("a.tsv", "b.tsv", "c/a.tsv")]
    assert input_files(tmp_path) == names
    with pytest.raises(DataError, match="no such folder"):
        input_files(tmp_path / "gone")


def saved(first, count):
    return [{"translation": {"en": en, "ja": ja}} for en, ja in rows(first, count)]


@pytest.mark.parametrize("folder", ["", "data"])
def test_saved_datasets_are_inputs_of_the_job(paths, folder):
    splits = {"train": saved(0, 200), "test": saved(300, 20)}
    save_dataset_dict(paths.processing_input("pairs") / folder, splits, shards=2)
    save_dataset(paths.processing_input("validation") / folder, saved(400, 30), shards=2)
    status, *printed = run(paths, *OPTIONS[:2], "--no-joined")
    assert status == 0, printed
    manifest = json.loads((paths.processing_output("prepared") / "manifest.json").read_text())
    assert [manifest["pairs"][name] for name in ("train", "validation", "test")] == [200, 30, 20]


def test_files_beside_a_table_are_no_pairs(paths):
    folder = save_dataset(paths.processing_input("pairs"), saved(0, 5))
    assert input_files(folder) == [str(folder)]
    assert input_files(folder, shared=True) == [str(folder / "data-00000-of-00001.arrow")]
