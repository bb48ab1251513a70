"""A model that is wrong in every sentence, as after too few updates: the gate refuses it."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from longspan.pipelines.config import template
from tests.pipelines.small_config import small_config
from tests.pipelines.test_run_command import Shell

SAMPLE = yaml.safe_load(template())
# Learns some phrases and no sentence, in less than a minute of one core.
POOR = small_config(
    baseline={"enabled": False},
    tuning={"jobs": 1, "parallel_jobs": 1, "search_space": {"attention_heads": [1]}},
    data={"sample": {"pairs": 6_000, "validation": 40, "test_per_bucket": 20}},
    preparation={"vocabulary_size": 1_000},
    training={
        "hyperparameters": SAMPLE["training"]["hyperparameters"]
        | {
            "rnn_num_hidden": 128,
            "num_embed_source": 64,
            "num_embed_target": 64,
            "attention_type": "scaled_dot",
            "max_num_batches": 600,
            "max_minutes": 0,
            "bleu_sample_size": 5,
            "beam_size": 1,
        }
    },
    gate=SAMPLE["gate"],
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("poor")
    (folder / "longspan.yaml").write_text(POOR)
    return Shell(folder)


@pytest.fixture(scope="module")
def refused(shell: Shell) -> "subprocess.CompletedProcess[str]":
    return shell("run")


def evaluation_folder(shell: Shell) -> Path:
    [folder] = (shell.folder / ".longspan" / "runs").glob("*/evaluation")
    return folder


def test_the_model_is_poor_at_every_length_and_keeps_what_it_has(
    shell: Shell, refused: "subprocess.CompletedProcess[str]"
) -> None:
    document = json.loads((evaluation_folder(shell) / "evaluation.json").read_text())
    gate = document["gate"]
    assert document["long"]["name"] == "over 100"
    assert 5 < gate["bleu_medium"] < SAMPLE["gate"]["minimum_bleu_short"]
    assert 5 < gate["bleu_long"] < SAMPLE["gate"]["minimum_bleu_long"]
    # Neither of these would refuse it.
    assert gate["training_complete"] == 1
    assert gate["distinct"] >= SAMPLE["gate"]["minimum_distinct"]


def test_every_minimum_that_it_misses_is_told_with_its_key_and_both_figures(
    shell: Shell, refused: "subprocess.CompletedProcess[str]"
) -> None:
    assert refused.returncode == 1
    gate = json.loads((evaluation_folder(shell) / "evaluation.json").read_text())["gate"]
    long, short = (
        [line for line in refused.stderr.splitlines() if f"gate.minimum_bleu_{name}:" in line]
        for name in ("long", "short")
    )
    assert len(long) == len(short) == 1
    assert f"expected BLEU of at least 70.0 over 100 words, got {gate['bleu_long']};" in long[0]
    assert f"got {gate['bleu_short']} and {gate['bleu_medium']};" in short[0]
    # At least one is from its fail step; the execution may end before the other one runs.
    assert re.search(r"^longspan: error: step Fail(Long|Short): gate\.", refused.stderr, re.M)
    told = re.findall(r"gate\.(\w+): expected", refused.stderr)
    assert sorted(told) == ["minimum_bleu_long", "minimum_bleu_short"]


def test_nothing_is_registered_or_deployed(
    shell: Shell, refused: "subprocess.CompletedProcess[str]"
) -> None:
    for step in ("Evaluate", "GateLong"):
        assert re.search(rf"^{step} +Succeeded", refused.stdout, re.M), step
    for step in ("Register", "CreateModel", "Endpoint"):
        assert not re.search(rf"^{step} ", refused.stdout, re.M), step


def test_the_table_and_the_report_are_shown_without_a_share_kept(
    shell: Shell, refused: "subprocess.CompletedProcess[str]"
) -> None:
    assert re.search(r"^over 100 +20 +\d", refused.stdout, re.M)
    assert "kept, " not in refused.stdout
    report = re.search(r"^report: (.+)$", refused.stdout, re.M)
    assert report is not None
    page = (shell.folder / report[1]).read_text(encoding="utf-8")
    assert "kept, over 100" not in page
    assert "BLEU at 11-20 words is below 70: the share kept would say nothing" in page
