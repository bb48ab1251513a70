"""Every command without the packages of the extra `cloud`."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from longspan.pipelines.command import COMMANDS
from tests.without_cloud import without_cloud

# Work without it.
CORE = {"sample", "prepare", "train", "evaluate", "diagnose", "translate", "serve"}
# What a command cannot be called without.
ARGUMENTS = {
    "logs": ["job"],
    "local": ["up"],
    "image": ["push", "--region", "eu-central-1"],
    "infra": ["deploy", "--region", "eu-central-1"],
}


SIZES = ("rnn_num_hidden", "num_embed_source", "num_embed_target", "attention_dimension")
# One process for all of them: each would import torch anew.
SCRIPT = """
import contextlib, io, json, sys
from longspan.pipelines.command import main

for arguments in json.load(sys.stdin):
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as exit:
            status = exit.code
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    print(json.dumps([status, *texts]))
"""


@dataclass(frozen=True)
class Done:
    command: str
    status: int
    out: str
    err: str


def run(folder: Path, *calls: list[str]) -> list[Done]:
    """Call commands one after the other in `folder`, without the extra."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env=without_cloud(folder / "site"),
        input=json.dumps(calls),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nor did a process of theirs say anything
    lines = done.stdout.splitlines()
    return [Done(call[0], *json.loads(line)) for call, line in zip(calls, lines, strict=True)]


def test_help_lists_every_command(tmp_path: Path) -> None:
    [done] = run(tmp_path, ["--help"])
    assert (done.status, done.err) == (0, "")
    assert {line.split()[0] for line in done.out.splitlines() if line.strip()} >= set(COMMANDS)


def test_a_command_that_needs_the_extra_says_so_in_one_line(tmp_path: Path) -> None:
    needing = [name for name in COMMANDS if name not in CORE]
    for done in run(tmp_path, *([name, *ARGUMENTS.get(name, [])] for name in needing)):
        assert (done.status, done.out) == (1, ""), done
        [line] = done.err.splitlines()
        assert line.startswith("longspan: error: "), done
        assert "extra `cloud`" in line, done
        assert line.endswith("pip install 'longspan[cloud]'"), done


def test_the_other_commands_work(tmp_path: Path) -> None:
    """In their order, one's output being the next one's input."""
    calls = {
        "sample": ["--pairs", "200", "--validation", "8", "--out", "data"],
        "prepare": ["data/train.tsv", "--validation", "data/validation.tsv", "--out", "prepared"],
        "train": ["prepared", "--out", "model", "--set=precision=fp32", "--updates=2"],
        "evaluate": ["model", "data/validation.tsv", "--out", "evaluation"],
        "diagnose": ["model", "data/validation.tsv"],
        "translate": ["model", "--text", "a"],
        "serve": ["nothing"],
    }
    assert set(calls) == CORE
    calls["prepare"].append("--vocabulary-size=300")
    # Two updates at this rate end better than a uniform guess.
    calls["train"] += ["--set=learning_rate=0.03", *(f"--set={name}=8" for name in SIZES)]
    *worked, served = run(tmp_path, *([name, *options] for name, options in calls.items()))
    assert [done for done in worked if done.status != 0] == []
    # As far as it gets without staying.
    assert "expected model.tar.gz or a model directory" in served.err
