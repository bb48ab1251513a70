"""The region of `longspan infra` and `longspan image push`: the option's, the config's, boto3's."""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from longspan.pipelines.command import main

ENVIRONMENT, CONFIG, OPTION = "us-west-2", "eu-west-1", "eu-north-1"
DOCKER = """#!{python}
import sys
from pathlib import Path
with Path({log!r}).open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
"""
BUCKET = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}


@pytest.fixture(autouse=True)
def here(tiny_cloud: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local cloud stands for AWS, and a docker that writes down what it is told for Docker."""
    for name, value in tiny_cloud.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", ENVIRONMENT)
    monkeypatch.chdir(tmp_path)
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(python=sys.executable, log=str(tmp_path / "log")))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(docker.parent), prepend=":")


@pytest.fixture(params=[ENVIRONMENT, CONFIG, OPTION])
def expected(request: pytest.FixtureRequest) -> str:
    """The region that counts when each source below it names another."""
    if request.param != ENVIRONMENT:
        text = f"name: here\ndata: {{pairs: a.tsv}}\naws: {{region: {CONFIG}}}\n"
        Path("longspan.yaml").write_text(text)
    return str(request.param)


def given(expected: str) -> list[str]:
    return ["--region", OPTION] if expected == OPTION else []


def test_the_stack_is_in_the_region_that_counts(
    expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for region in (ENVIRONMENT, CONFIG, OPTION):
        client = boto3.client("cloudformation", region_name=region)
        client.create_stack(StackName=f"for-{expected}", TemplateBody=json.dumps(BUCKET))
    destroy = ["infra", "destroy", "--stack", f"for-{expected}", "--yes"]
    assert main([*destroy, *given(expected)]) == 0, capfd.readouterr().err
    for region in (ENVIRONMENT, CONFIG, OPTION):
        stacks = boto3.client("cloudformation", region_name=region).describe_stacks()["Stacks"]
        left = f"for-{expected}" in {stack["StackName"] for stack in stacks}
        assert left == (region != expected)


def test_the_image_is_pushed_to_the_region_that_counts(expected: str, tmp_path: Path) -> None:
    boto3.client("ecr", region_name=expected).create_repository(repositoryName=f"to-{expected}")
    # The registry knows nothing of what this docker pushes, so the command fails at its very end.
    push = ["image", "push", "--tag", "longspan:1", "--repository", f"to-{expected}"]
    assert main([*push, *given(expected)]) == 1
    pushed = [line for line in (tmp_path / "log").read_text().splitlines() if "push " in line]
    assert pushed == [f"push 123456789012.dkr.ecr.{expected}.amazonaws.com/to-{expected}:1"]
