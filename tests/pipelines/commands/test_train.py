import argparse
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from longspan.pipelines.commands import train
from longspan.training.errors import DataError, HyperparameterError, Interrupted
from longspan.training.hyperparameters import Hyperparameters
from tests.bf16 import needs_onednn_limits

RUN = """
import argparse, sys
from longspan.pipelines.commands import train
parser = argparse.ArgumentParser()
train.add_arguments(parser)
sys.exit(train.run(parser.parse_args(sys.argv[1:])))
"""


def parse(*words):
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def settings_of(values):
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture
def prepared(write_prepared, tmp_path):
    return write_prepared(tmp_path / "prepared")


def test_train_writes_a_model_and_says_what_is_next(prepared, tiny_settings, tmp_path, capsys):
    out = tmp_path / "model"
    assert train.run(parse(prepared, "--out", out, *settings_of(tiny_settings))) == 0
    assert (out / "model.safetensors").is_file()
    assert (tmp_path / "model.checkpoints").is_dir()
    said = capsys.readouterr().out
    assert f"model: {out}" in said
    assert f"next: longspan translate {out}" in said

    # The same again has nothing to do; afresh, it begins again.
    assert train.run(parse(prepared, "--out", out, *settings_of(tiny_settings))) == 0
    assert "resumed at update 30" in capsys.readouterr().out
    fresh = parse(prepared, "--out", out, "--fresh", "--seed", 2, *settings_of(tiny_settings))
    assert train.run(fresh) == 0
    assert "resumed" not in capsys.readouterr().out


@needs_onednn_limits
def test_bf16_on_another_machine_is_one_line_and_costs_no_checkpoint(
    prepared, tiny_settings, tmp_path
):
    out = tmp_path / "model"
    words = [str(prepared), "--out", str(out), *settings_of(tiny_settings | {"precision": "fp32"})]
    assert train.run(parse(*words)) == 0
    kept = sorted((tmp_path / "model.checkpoints").iterdir())
    command = [sys.executable, "-m", "longspan.pipelines.command", "train", *words]
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    for fresh in ([], ["--fresh"]):
        done = subprocess.run(
            [*command, "--set", "precision=bf16", *fresh],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        [line] = done.stderr.splitlines()
        assert "precision=bf16: expected a device that trains in bfloat16" in line
        assert "ONEDNN_MAX_CPU_ISA=AVX2" in line
    assert sorted((tmp_path / "model.checkpoints").iterdir()) == kept


def test_a_diverged_run_fails_and_writes_no_model(prepared, tiny_settings, tmp_path):
    words = settings_of(tiny_settings | {"learning_rate": "100", "lr_warmup_num_batches": "200"})
    command = [sys.executable, "-m", "longspan.pipelines.command", "train", str(prepared)]
    command += ["--out", str(tmp_path / "model"), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "that of a uniform guess over 16 target tokens" in line
    assert "lower learning_rate=100" in line
    assert not (tmp_path / "model").exists()


def test_settings_win_over_the_file_and_options_over_both(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("learning_rate: 1e-3\nrnn_residual_connections: true\nseed: 5\nbatch_size:\n")
    found = train.read_hyperparameters(
        ["learning_rate=0.5", "rnn_attention_type=mlp"], config, {"seed": "7", "max_minutes": None}
    )
    assert found == Hyperparameters(learning_rate=0.5, rnn_residual_connections=True, seed=7)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("attention_heads", "expected NAME=VALUE"),
        ("=4", "expected NAME=VALUE"),
        ("atention_heads=4", "did you mean attention_heads"),
        ("attention_type=best", "attention_type: expected none | dot"),
    ],
)
def test_a_wrong_setting_is_named(setting, says):
    with pytest.raises(HyperparameterError) as caught:
        train.read_hyperparameters([setting], None, {})
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1, 2]\n", "a: {b: c}\n", "{", "\x00"])
def test_a_file_that_is_no_settings_is_a_clear_error(tmp_path, text):
    config = tmp_path / "config.yaml"
    config.write_text(text)
    with pytest.raises(HyperparameterError, match=r"config\.yaml: expected"):
        train.read_hyperparameters([], config, {})
    with pytest.raises(HyperparameterError, match=r"gone\.yaml: expected a YAML file"):
        train.read_hyperparameters([], tmp_path / "gone.yaml", {})


def test_the_list_has_every_hyperparameter(capsys):
    assert train.run(parse("--list")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [r[0] for r in Hyperparameters.describe()]
    assert "none | dot | scaled_dot | bilinear | additive" in "\n".join(lines)


@pytest.mark.parametrize("words", [[], ["somewhere"], ["--out", "model"]])
def test_a_missing_argument_is_a_clear_error(words):
    with pytest.raises(DataError, match="expected DIR and --out MODEL"):
        train.run(parse(*words))


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="longspan prepare"):
        train.run(parse(tmp_path / "gone", "--out", tmp_path / "model"))


def test_no_threads_is_refused(prepared, tmp_path):
    with pytest.raises(HyperparameterError, match="--threads: expected at least 1, got 0"):
        train.run(parse(prepared, "--out", tmp_path / "model", "--threads", 0))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(prepared, tiny_settings, tmp_path, number):
    values = tiny_settings | {"max_num_batches": "100000", "checkpoint_threshold": "9999"}
    words = [prepared, "--out", tmp_path / "model", *settings_of(values)]
    checkpoints = tmp_path / "model.checkpoints"
    before = signal.getsignal(number)
    # Whoever sends the signal too early meets this one, not the end of the tests.
    signal.signal(number, lambda *_: pytest.fail("the command did not take the signal"))
    sender = threading.Thread(target=_send_after_a_checkpoint, args=(number, checkpoints))
    try:
        sender.start()
        with pytest.raises(Interrupted, match="run the same command again to resume"):
            train.run(parse(*words))
    finally:
        sender.join()
        signal.signal(number, before)
    assert not (tmp_path / "model").exists()


def _send_after_a_checkpoint(number, checkpoints):
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("checkpoint-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(os.getpid(), number)


@pytest.mark.long
def test_torchrun_trains_with_two_processes(prepared, tiny_settings, tmp_path):
    words = [prepared, "--out", tmp_path / "model", *settings_of(tiny_settings)]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = tmp_path / "script.py"
    script.write_text(RUN)
    done = subprocess.run(
        [sys.executable, *launcher, str(script), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    assert "2 processes" in done.stdout
    assert (tmp_path / "model" / "model.safetensors").is_file()
