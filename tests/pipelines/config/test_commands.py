"""`longspan init` and `longspan validate`: a config from nothing, and whether it can be used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from longspan.pipelines.command import main
from longspan.pipelines.config import parse_config, template

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
    assert "nothing is wrong" in capsys.readouterr().out
    assert parse_config(path.read_text(encoding="utf-8")).data.sample is not None


def test_init_replaces_nothing_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "longspan.yaml"
    path.write_text("mine\n", encoding="utf-8")
    assert main(["init", str(path)]) == 1
    assert "--force" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine\n"
    assert main(["init", str(path), "--force"]) == 0
    assert path.read_text(encoding="utf-8") == template()


def test_the_template_names_every_key_with_a_comment() -> None:
    text = template()
    missing = [name for name in _keys(text) if f"{name}:" not in text]
    assert missing == []
    assert max(map(len, text.splitlines())) <= 100


def test_everything_optional_in_the_template_is_good_too() -> None:
    """A # before an example can be taken away, one by one."""
    lines = template().splitlines()
    for number, line in enumerate(lines):
        bare = line.lstrip()
        if not bare.startswith("# ") or ": " not in bare or "  # " not in bare:
            continue
        indent = line[: len(line) - len(bare)]
        changed = [*lines[:number], indent + bare.removeprefix("# "), *lines[number + 1 :]]
        try:
            parse_config("\n".join(changed))
        except Exception as error:
            # Some examples contradict what else stands there; none is unknown or of a wrong kind.
            assert "no such key" not in str(error), line
            assert "expected YAML" not in str(error), line


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


def _keys(text: str) -> list[str]:
    found: list[str] = []

    def walk(schema: dict[str, object], definitions: dict[str, dict[str, object]]) -> None:
        properties = schema.get("properties", {})
        assert isinstance(properties, dict)
        found.extend(properties)

    from longspan.pipelines.config import Config

    schema = Config.model_json_schema()
    definitions = schema.pop("$defs")
    walk(schema, definitions)
    for name, one in definitions.items():
        if name != "Range":
            walk(one, definitions)
    return found
