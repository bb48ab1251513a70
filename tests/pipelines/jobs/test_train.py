"""The container's training job on a tiny language, in this process and, where signals or several
processes matter, in processes of its own."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from longspan.inference.translation.translator import Translator
from longspan.pipelines.jobs import __main__ as jobs
from longspan.pipelines.jobs import train as train_job
from longspan.training.container.paths import ContainerPaths
from longspan.training.corpus import recordio
from longspan.training.corpus.built_in import convert
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.checkpoint import CheckpointStore
from longspan.training.model.directory import load_model
from tests.bf16 import needs_onednn_limits
from tests.in_process import Done, call
from tests.metric_lines import parse_metrics

WORDS = ["one", "two", "three", "four", "five", "six"]
SPECIALS = ["<pad>", "<unk>", "<s>", "</s>"]
TINY = {
    "rnn_num_hidden": "8",
    "num_embed_source": "4",
    "num_embed_target": "4",
    "rnn_attention_type": "dot",
    "rnn_attention_num_hidden": "8",
    "learning_rate": "0.03",  # better than a uniform guess after two updates
    "max_num_batches": "6",
    "checkpoint_frequency_num_batches": "3",
    "batch_size": "8",
}
# What TINY sets, by this project's names.
OWN_NAMES = Hyperparameters.parse(TINY).model_fields_set


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def make_pairs(count: int, seed: int) -> list[tuple[list[int], list[int]]]:
    """Sentences of two to six words; the target is the source turned round."""
    choose = random.Random(seed)
    sources = [choose.choices(range(4, 10), k=choose.randint(2, 6)) for _ in range(count)]
    return [(source, source[::-1]) for source in sources]


def add_built_in_channels(paths: ContainerPaths) -> None:
    for name, count in (("train", 60), ("validation", 8)):
        paths.channel(name).mkdir(parents=True)
        recordio.write_records(paths.channel(name) / f"{name}.rec", make_pairs(count, len(name)))
    for name in ("vocab.src.json", "vocab.trg.json"):
        table = {word: number for number, word in enumerate([*SPECIALS, *WORDS])}
        write_json(paths.channel("vocab") / name, table)


def add_prepared_channel(paths: ContainerPaths, scratch: Path) -> None:
    elsewhere = ContainerPaths(scratch)
    add_built_in_channels(elsewhere)
    channels = (elsewhere.channel(name) for name in ("train", "validation", "vocab"))
    convert(*channels, paths.channel("prepared"))


def set_hyperparameters(paths: ContainerPaths, **changes: str) -> None:
    write_json(paths.hyperparameters, {**TINY, **changes})


def environment(paths: ContainerPaths, **additions: str) -> dict[str, str]:
    ours = {"LONGSPAN_BASE": str(paths.base), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RANK", "LONGSPAN_"))}
    return {**inherited, **ours, **additions}


COMMAND = [sys.executable, "-m", "longspan.pipelines.jobs", "train"]


def run(paths: ContainerPaths, **additions: str) -> Done:
    return call(lambda: train_job.main([], environment(paths, **additions)))


def run_process(paths: ContainerPaths, **additions: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        COMMAND, env=environment(paths, **additions), capture_output=True, text=True, timeout=180
    )


@pytest.fixture
def paths(tmp_path: Path) -> ContainerPaths:
    paths = ContainerPaths(tmp_path / "ml")
    set_hyperparameters(paths)
    return paths


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[ContainerPaths, str]:
    """A job on the built-in's data, and what it printed."""
    paths = ContainerPaths(tmp_path_factory.mktemp("trained") / "ml")
    add_built_in_channels(paths)
    # What SageMaker adds by itself does no harm.
    set_hyperparameters(
        paths, _tuning_objective_metric="validation:bleu", sagemaker_job_name="job-1"
    )
    paths.write_failure("of an earlier run")
    done = run_process(paths)
    assert done.returncode == 0, done.stderr
    return paths, done.stdout


def test_a_diverged_job_fails_with_the_reason_and_no_model(paths: ContainerPaths):
    add_built_in_channels(paths)
    set_hyperparameters(paths, learning_rate="100")
    done = run(paths)
    assert done.returncode == 1
    reason = paths.failure.read_text(encoding="utf-8")
    assert "that of a uniform guess over 10 target tokens" in reason
    assert "lower learning_rate=100" in reason
    assert not paths.model.exists()


def test_the_data_of_the_built_in_algorithm_trains_as_it_is(trained: tuple[ContainerPaths, str]):
    paths, printed = trained
    assert "channel train: 60 pairs" in printed
    assert re.search(r"validation:perplexity=[0-9.]+", printed)
    loaded = load_model(paths.model)
    assert loaded.tokenizer.encode_source("two one unheard") == [5, 4, 1, 3]
    assert loaded.hyperparameters.attention_type == "dot"
    # It translates words between white space, also those that its vocabulary lacks.
    [translation] = Translator(loaded.model, loaded.tokenizer).translate(["two  one unheard"])
    assert set(translation.text.split()) <= {"<unk>", *WORDS}


def test_a_failure_of_an_earlier_run_is_forgotten(trained: tuple[ContainerPaths, str]):
    assert not trained[0].failure.exists()


def test_a_prepared_folder_gives_the_same_model(
    trained: tuple[ContainerPaths, str], paths: ContainerPaths, tmp_path: Path
):
    add_prepared_channel(paths, tmp_path / "elsewhere")
    # All are given, so none is chosen by the corpus.
    defaults = {name: str(v) for name, v in Hyperparameters.defaults().items()}
    set_hyperparameters(paths, **{k: v for k, v in defaults.items() if k not in OWN_NAMES})
    done = run(paths)
    assert done.returncode == 0, done.stderr
    assert "chosen for this corpus" not in done.stdout
    ours, same = ((p.model / "model.safetensors").read_bytes() for p in (paths, trained[0]))
    assert ours == same


def test_what_is_not_given_is_chosen_by_prepared_text_and_not_by_the_built_ins(
    trained: tuple[ContainerPaths, str], paths: ContainerPaths, tmp_path: Path
):
    add_prepared_channel(paths, tmp_path / "elsewhere")
    done = run(paths)
    assert done.returncode == 0, done.stderr
    assert "60 pairs on a CPU" in done.stdout
    chosen = load_model(paths.model).hyperparameters
    assert (chosen.rnn_num_hidden, chosen.attention_location) == (8, "tracking")
    built_in = load_model(trained[0].model).hyperparameters
    assert built_in.attention_location == "none"
    assert "chosen for this corpus" not in trained[1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"attention_heads": "zero"},
            "attention_heads: expected an integer from 1 to 64, got 'zero'",
        ),
        ({"rnn_attention_type": "luong"}, "rnn_attention_type: expected fixed | dot"),
        ({"atention_heads": "2"}, "did you mean attention_heads"),
    ],
)
def test_a_wrong_hyperparameter_is_one_line_and_the_reason(
    paths: ContainerPaths, changes: dict[str, str], reason: str
):
    add_built_in_channels(paths)
    set_hyperparameters(paths, **changes)
    assert_refused(paths, run(paths), reason)


@needs_onednn_limits
def test_bf16_that_the_processor_has_not_is_one_line_and_the_reason(paths: ContainerPaths):
    add_built_in_channels(paths)
    set_hyperparameters(paths, precision="bf16")
    done = run_process(paths, ONEDNN_MAX_CPU_ISA="AVX2")
    assert_refused(paths, done, "precision=bf16: expected")


def assert_refused(
    paths: ContainerPaths, done: "Done | subprocess.CompletedProcess[str]", reason: str
) -> None:
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert reason in line
    assert reason in paths.failure.read_text()
    assert not paths.model.exists()


def test_missing_channels_are_named_with_those_that_came(paths: ContainerPaths):
    paths.channel("train").mkdir(parents=True)
    done = run(paths)
    assert done.returncode == 1
    assert "got train; add validation, vocab" in paths.failure.read_text()
    [line] = done.stderr.splitlines()
    assert "expected a channel prepared" in line


def test_a_damaged_record_is_named_by_file_and_byte(paths: ContainerPaths):
    add_built_in_channels(paths)
    with (paths.channel("train") / "train.rec").open("r+b") as file:
        file.write(b"\0")
    done = run(paths)
    assert done.returncode == 1
    assert "train.rec: byte 0: expected RecordIO's magic number" in paths.failure.read_text()


def test_an_unforeseen_error_leaves_a_traceback_and_the_reason(
    paths: ContainerPaths, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def fail(given: object) -> None:
        raise ZeroDivisionError("a mistake\nof ours")

    monkeypatch.setattr(train_job, "parse_hyperparameters", fail)
    assert train_job.main([], environment(paths)) == 1
    assert "Traceback" in capfd.readouterr().err
    assert paths.failure.read_text() == "ZeroDivisionError: a mistake of ours"


def test_a_folder_in_place_of_a_file_is_one_line(paths: ContainerPaths):
    paths.hyperparameters.unlink()
    paths.hyperparameters.mkdir()
    done = run(paths)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"longspan: error: {paths.failure.read_text()}"]
    assert "hyperparameters.json" in done.stderr


def test_an_impossible_number_of_processes_is_refused(paths: ContainerPaths):
    add_built_in_channels(paths)
    done = run(paths, LONGSPAN_PROCESSES="many")
    assert done.returncode == 1
    assert "LONGSPAN_PROCESSES: expected an integer" in paths.failure.read_text()


@contextmanager
def endless_job(paths: ContainerPaths, processes: int) -> Iterator["subprocess.Popen[str]"]:
    """A job that would never end by itself, once it has saved its first checkpoint."""
    add_built_in_channels(paths)
    set_hyperparameters(paths, max_num_batches="1000000", checkpoint_threshold="1000000")
    job = subprocess.Popen(
        COMMAND,
        env=environment(paths, LONGSPAN_PROCESSES=str(processes)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 180
    try:
        while not list(paths.checkpoints.glob("checkpoint-*")):
            assert job.poll() is None, job.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield job
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)  # its workers too, which hold the pipes
        job.communicate()


@pytest.mark.parametrize("processes", [1, 2])
def test_sigterm_saves_and_ends_clean(paths: ContainerPaths, processes: int):
    with endless_job(paths, processes) as job:
        job.send_signal(signal.SIGTERM)
        output, errors = job.communicate(timeout=180)
    assert job.returncode == 0, errors
    [updates] = re.findall(r"stopped after (\d+) updates", output)
    assert not paths.failure.exists()
    assert (paths.checkpoints / f"checkpoint-{int(updates):09d}").is_dir()
    # What was best so far is there as a model, and the last metrics printed are its own.
    loaded = load_model(paths.model)
    details = loaded.config.details
    assert details["updates"] == int(updates)
    gains = re.findall(r"checkpoint at update (\d+), (.*) \(best so far\)", output)
    best = int(gains[-1][0])
    assert f"the best weights are of update {best}: {paths.model}" in output
    last = [line for line in output.splitlines() if parse_metrics(line)][-1]
    assert last.startswith("best model: ")
    assert parse_metrics(last).items() <= parse_metrics(gains[-1][1]).items()
    store = CheckpointStore(paths.checkpoints, warn=print)
    weights = store.load(best).read_tensors("model.")
    assert torch.equal(loaded.model.projection.bias, weights["projection.bias"])
    # The job goes on from there; a lower limit than it has reached ends it at once.
    set_hyperparameters(paths, max_num_batches="1")
    done = run(paths)
    assert done.returncode == 0, done.stderr
    assert f"resumed at update {updates}" in done.stdout
    assert (paths.model / "config.json").is_file()


def test_sigterm_before_any_validation_leaves_a_checkpoint_and_no_model(paths: ContainerPaths):
    add_built_in_channels(paths)
    set_hyperparameters(
        paths, max_num_batches="1000000", checkpoint_frequency_num_batches="1000000"
    )
    with subprocess.Popen(
        COMMAND, env=environment(paths), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as job:
        assert job.stdout is not None
        for line in job.stdout:
            if line.startswith("each epoch"):  # updates have begun
                break
        job.send_signal(signal.SIGTERM)
        _, errors = job.communicate(timeout=180)
    assert job.returncode == 0, errors
    assert list(paths.checkpoints.glob("checkpoint-*"))
    assert not paths.model.exists()


def test_a_worker_that_is_killed_is_the_reason(paths: ContainerPaths):
    with endless_job(paths, 2) as job:
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
        assert len(children) == 2
        os.kill(int(children[1]), signal.SIGKILL)
        job.communicate(timeout=180)
    assert job.returncode == 1
    assert paths.failure.read_text() == "worker 1 was killed by signal 9: out of memory?"


@pytest.mark.parametrize("arguments", [[], ["serve"]])
def test_an_unknown_job_shows_the_usage(arguments: list[str]):
    done = call(lambda: jobs.main(arguments))
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m longspan.pipelines.jobs train")


def test_options_are_refused(paths: ContainerPaths):
    done = call(lambda: train_job.main(["--seed", "1"], environment(paths)))
    assert done.returncode == 1
    assert paths.failure.read_text() == "expected no options, got --seed 1; leave them out"


def test_trials_of_a_tuning_job_do_not_share_checkpoints(paths: ContainerPaths):
    add_built_in_channels(paths)
    for name, hidden in (("trial-001", "8"), ("trial-002", "16")):
        set_hyperparameters(
            paths,
            rnn_num_hidden=hidden,
            max_num_batches="2",
            _tuning_objective_metric="validation:bleu_long",
        )
        done = run(paths, TRAINING_JOB_NAME=name)
        assert done.returncode == 0, done.stderr
        assert list((paths.checkpoints / name).glob("checkpoint-*"))


def test_the_channel_model_is_continued_from(
    trained: tuple[ContainerPaths, str], paths: ContainerPaths
):
    """AWS's incremental training: a channel `model` with the archive of an earlier job."""
    first, _ = trained
    add_built_in_channels(paths)
    paths.channel("model").mkdir(parents=True)
    with tarfile.open(paths.channel("model") / "model.tar.gz", "w:gz") as archive:
        for path in sorted(first.model.iterdir()):
            archive.add(path, path.name)
    architecture = ("rnn_num_hidden", "num_embed_source", "num_embed_target", "rnn_attention_type",
                    "rnn_attention_num_hidden")  # fmt: skip
    kept = {name: value for name, value in TINY.items() if name not in architecture}
    write_json(paths.hyperparameters, kept | {"learning_rate": "1e-9"})
    done = run(paths)
    assert done.returncode == 0, done.stderr
    before, after = load_model(first.model), load_model(paths.model)
    assert after.hyperparameters.rnn_num_hidden == 8
    for name, weight in before.model.state_dict().items():
        torch.testing.assert_close(after.model.state_dict()[name], weight, rtol=0, atol=1e-6)
    # Restarted, the job resumes from its checkpoints.
    assert "resumed at update 6" in run(paths).stdout
    workers = run_process(paths, LONGSPAN_PROCESSES="2")
    assert workers.returncode == 0, workers.stderr

    write_json(paths.hyperparameters, {**kept, "rnn_num_hidden": "16"})
    assert run(paths).returncode == 1
    assert "rnn_num_hidden=16: expected the architecture of" in paths.failure.read_text()


def test_a_channel_model_that_does_not_fit_fails_with_its_reason(
    trained: tuple[ContainerPaths, str], paths: ContainerPaths
):
    add_built_in_channels(paths)
    table = {word: i for i, word in enumerate([*SPECIALS, *WORDS, "seven"])}
    write_json(paths.channel("vocab") / "vocab.trg.json", table)
    paths.channel("model").mkdir()
    assert run(paths).returncode == 1
    assert "expected model.tar.gz or a model directory, got nothing" in paths.failure.read_text()
    shutil.copytree(trained[0].model, paths.channel("model"), dirs_exist_ok=True)
    assert run(paths).returncode == 1
    assert "expected ids of the tokenizer of" in paths.failure.read_text()
    assert not paths.model.exists()
