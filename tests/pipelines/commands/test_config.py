"""commands/init.py and commands/validate.py: a config from nothing, and whether it is valid."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from longspan.pipelines.command import main
from longspan.pipelines.config import Config, ConfigError, parse_config, template
from tests.training.saved_datasets import save_dataset_dict

# No socket connects, no name is looked up; Unix sockets neither.
_OFFLINE = """
import socket, sys

def refuse(*arguments, **options):
    raise AssertionError(f"asked the network: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from longspan.pipelines.command import main
sys.exit(main(sys.argv[1:]))
"""


def test_what_init_writes_can_be_used_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "longspan.yaml"
    assert main(["init", str(path)]) == 0
    assert main(["validate", str(path)]) == 0
    assert "longspan.yaml: valid" in capsys.readouterr().out
    assert parse_config(path.read_text(encoding="utf-8")).data.sample is not None


def test_init_writes_a_config_for_ones_own_pairs_with_a_gate_for_real_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = ["my pairs.en", "my pairs.ja"]
    for name in files:
        Path(name).write_text("a\n", encoding="utf-8")
    assert main(["init", "--data", *files]) == 0
    assert main(["validate"]) == 0
    assert "longspan.yaml: valid" in capsys.readouterr().out
    config = parse_config(Path("longspan.yaml").read_text(encoding="utf-8"))
    assert config.data == parse_config(f"data: {{pairs: {files}}}").data
    assert config.gate == parse_config(f"data: {{pairs: {files}}}").gate
    sample = parse_config(template()).gate.minimums
    assert all(
        sample[name] >= minimum
        for name, minimum in config.gate.minimums.items()
        if "change" not in name
    )


def test_init_chooses_hyperparameters_by_the_number_of_pairs_and_the_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pairs.tsv").write_text("7\tgo\tgeh\n" * 3, encoding="utf-8")
    columns = ["--source-column", "2", "--target-column", "3", "--target-language", "de"]
    found = {}
    for machine in ("ml.m5.xlarge", "ml.g5.xlarge"):
        command = ["init", f"{machine}.yaml", "--data", "pairs.tsv", "--instance-type", machine]
        assert main([*command, *columns]) == 0
        assert main(["validate", f"{machine}.yaml"]) == 0
        assert "3 pairs on a" in capsys.readouterr().out
        found[machine] = parse_config(Path(f"{machine}.yaml").read_text(encoding="utf-8"))
    cpu, gpu = (found[m].training.hyperparameters for m in ("ml.m5.xlarge", "ml.g5.xlarge"))
    assert cpu["rnn_num_hidden"] < gpu["rnn_num_hidden"]
    assert found["ml.m5.xlarge"].data.target_language == "de"
    # The baseline has none of the cures that the search starts from.
    baseline = found["ml.m5.xlarge"].baseline_hyperparameters
    assert (baseline["attention_location"], baseline["length_augmentation"]) == ("none", 0.0)
    assert "# 3 pairs on a CPU\n" in Path("ml.m5.xlarge.yaml").read_text(encoding="utf-8")
    assert main(["init", "x.yaml", "--data", "pairs.tsv", "--instance-type", "ml.z9.big"]) == 1
    assert "--instance-type: expected a machine type" in capsys.readouterr().err


def test_init_wants_data_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--data", "none.tsv"]) == 1
    assert "none.tsv: expected a file of pairs" in capsys.readouterr().err
    assert not Path("longspan.yaml").exists()
    assert main(["init", "--data", "s3://bucket/pairs"]) == 0


def test_init_counts_the_training_pairs_of_a_saved_dataset_dict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"en": f"a {n}", "ja": f"b {n}"} for n in range(9)]
    save_dataset_dict(Path("saved"), {"train": rows[:7], "test": rows[7:]})
    assert main(["init", "--data", "saved"]) == 0
    assert "7 pairs on a" in capsys.readouterr().out
    config = parse_config(Path("longspan.yaml").read_text(encoding="utf-8"))
    assert config.data.pairs == ["saved"]


def test_init_replaces_nothing_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "longspan.yaml"
    path.write_text("mine\n", encoding="utf-8")
    assert main(["init", str(path)]) == 1
    assert "--force" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine\n"
    assert main(["init", str(path), "--force"]) == 0
    assert path.read_text(encoding="utf-8") == template()


def test_the_template_has_every_key() -> None:
    text = template()
    assert {name for name in _keys() if f"{name}:" not in text} == set()
    assert max(map(len, text.splitlines())) <= 100


def test_each_example_in_the_template_can_be_used() -> None:
    """Without its #, each is a good value, though not each fits what else stands there."""
    lines = template().splitlines()
    blocks = list(_optional_blocks(lines))
    assert len(blocks) > 15
    for block in blocks:
        changed = [
            line.replace("# ", "", 1) if n in block else line for n, line in enumerate(lines)
        ]
        for mistake in _mistakes("\n".join(changed)):
            assert any(text in mistake for text in _CONTRADICTIONS), mistake


def test_validate_shows_every_mistake_on_a_line_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("data: {pairs: a.tsv}\ngate: {minimum: 1}\ntunning: {}\n", encoding="utf-8")
    assert main(["validate", str(path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{path}:2", f"{path}:3"]


@pytest.mark.parametrize("options", [[], ["--definition"]])
def test_validate_asks_no_network(options: list[str], tmp_path: Path) -> None:
    path = tmp_path / "longspan.yaml"
    path.write_text(template(), encoding="utf-8")
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "SAGEMAKER_"))}
    done = subprocess.run(
        [sys.executable, "-c", _OFFLINE, "validate", str(path), *options],
        capture_output=True,
        text=True,
        env=environment | {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    if options:
        assert json.loads(done.stdout)["Steps"]
    else:
        assert "pipeline: longspan-sample" in " ".join(done.stdout.split())


_CONTRADICTIONS = (
    "sample generates these pairs too",
    "only spot machines have waiting time",
    "is for the strategy Hyperband",
    "serverless has no machines",
)


def _optional_blocks(lines: list[str]) -> Iterator[range]:
    """Line numbers of keys behind a #, each with the keys below it."""
    for start, line in enumerate(lines):
        found = re.match(r"( *# )\w+:( |$)", line)
        if found:
            end = start + 1
            while lines[end].startswith(f"{found[1]}  "):
                end += 1
            yield range(start, end)


def _mistakes(text: str) -> tuple[str, ...]:
    try:
        parse_config(text)
    except ConfigError as error:
        return error.lines
    return ()


def _keys() -> set[str]:
    """Of every section, from the models themselves."""
    schema = Config.model_json_schema()
    sections = [schema, *(one for name, one in schema["$defs"].items() if name != "Range")]
    return {name for section in sections for name in section["properties"]}
