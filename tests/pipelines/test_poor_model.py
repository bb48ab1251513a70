"""A model that is wrong in every sentence, long or short: the gate refuses it.

Where this was measured it had 38 BLEU at 1-5 words, 24 at 11-20 and 24 over 100: long sentences
keep 97% of what is not worth keeping.
"""

import json
import re

import pytest
import yaml

from longspan.pipelines.config import parse_config, template
from longspan.pipelines.definition.requirements import unmet
from tests.in_process import Done
from tests.pipelines.shell import Shell
from tests.pipelines.small_config import small_config

pytestmark = pytest.mark.long

SAMPLE = yaml.safe_load(template())
LEAST_LONG, LEAST_SHORT = (SAMPLE["gate"][f"minimum_bleu_{name}"] for name in ("long", "short"))
# Few pairs and few updates: it learns some phrases and no sentence, in 20 seconds of one core.
POOR = small_config(
    baseline={"enabled": False},
    tuning={"jobs": 1, "parallel_jobs": 1, "search_space": {"attention_heads": [1]}},
    data={"sample": {"pairs": 1_600, "validation": 40, "test_per_bucket": 20}},
    preparation={"vocabulary_size": 1_000},
    training={
        "hyperparameters": SAMPLE["training"]["hyperparameters"]
        | {
            "rnn_num_hidden": 128,
            "num_embed_source": 64,
            "num_embed_target": 64,
            "attention_type": "scaled_dot",
            "max_num_batches": 300,
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
def refused(shell: Shell) -> Done:
    return shell.process("run")


def figures(shell: Shell) -> dict[str, float]:
    [path] = (shell.folder / ".longspan" / "runs").glob("*/evaluation/evaluation.json")
    document = json.loads(path.read_text())
    assert document["long"]["name"] == "over 100"
    return dict(document["gate"])


def test_the_model_is_poor_at_every_length_and_no_share_of_it_is_kept(
    shell: Shell, refused: Done
) -> None:
    gate = figures(shell)
    # It has learned something, and says different things to different sentences.
    assert 1 < gate["bleu_medium"] < LEAST_SHORT
    assert 1 < gate["bleu_long"] < LEAST_LONG
    assert gate["distinct"] > 0.5
    assert gate["training_complete"] == 1
    assert gate["share_kept"] == 0


def test_every_minimum_that_it_misses_is_told_once_with_its_key_and_figures(
    shell: Shell, refused: Done
) -> None:
    assert refused.returncode == 1
    gate = figures(shell)
    lacks = dict(unmet(parse_config(POOR), gate))
    assert {"Long", "Short"} <= set(lacks) <= {"Long", "Short", "Distinct"}
    for name, said in (
        ("Long", f"at least {LEAST_LONG} over 100 words, got {gate['bleu_long']}; train"),
        ("Short", f"and at 11-20 words, got {gate['bleu_short']} and {gate['bleu_medium']}; "),
    ):
        assert said in lacks[name]
    told = [line.split("gate.", 1) for line in refused.stderr.splitlines() if "gate." in line]
    assert sorted("gate." + message for _, message in told) == sorted(lacks.values())
    # At least one is from its fail step; it may end the execution before another one runs.
    steps = [re.fullmatch(r"longspan: error: step Fail(\w+): ", before) for before, _ in told]
    assert any(steps)


def test_nothing_is_registered_or_deployed(shell: Shell, refused: Done) -> None:
    for step in ("Evaluate", "GateLong"):
        assert re.search(rf"^{step} +Succeeded", refused.stdout, re.M), step
    for step in ("Register", "CreateModel", "Endpoint"):
        assert not re.search(rf"^{step} ", refused.stdout, re.M), step


def test_the_table_and_the_report_are_shown_without_a_share_kept(
    shell: Shell, refused: Done
) -> None:
    assert re.search(r"^over 100 +\d+ +\d", refused.stdout, re.M)
    assert "kept, " not in refused.stdout
    report = re.search(r"^report: (.+)$", refused.stdout, re.M)
    assert report is not None
    page = (shell.folder / report[1]).read_text(encoding="utf-8")
    assert "kept, over 100" not in page
    assert f"BLEU at 11-20 words is below {LEAST_SHORT:g}: the share kept would say nothing" in page
