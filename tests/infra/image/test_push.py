"""Pushing: the calls to ECR, and what docker is told."""

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from longspan.infra.errors import ImageError
from longspan.infra.image.docker import Docker
from longspan.infra.image.push import push

REGION = "eu-west-1"
REGISTRY = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"

# Writes down what it is told; `push` puts a manifest into ECR, as the registry would.
DOCKER = """#!{python}
import json, os, sys
from pathlib import Path
said = Path({log!r})
with said.open("a") as file:
    text = sys.stdin.read() if "--password-stdin" in sys.argv else ""
    file.write(json.dumps([sys.argv[1:], text, os.environ.get("DOCKER_CONFIG", "")]) + "\\n")
"""


class Ecr:
    """moto's client; the first push makes what docker would have sent."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def describe_images(self, repositoryName: str, imageIds: Any) -> Any:  # noqa: N803
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": []}
        self._client.put_image(
            repositoryName=repositoryName,
            imageManifest=json.dumps(manifest),
            imageTag=imageIds[0]["imageTag"],
        )
        return self._client.describe_images(repositoryName=repositoryName, imageIds=imageIds)


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Ecr(boto3.client("ecr", region_name=REGION))


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    program = tmp_path / "docker"
    text = DOCKER.format(python=sys.executable, log=str(tmp_path / "log"))
    program.write_text(text, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Docker(str(program))


def told(tmp_path: Path) -> list[tuple[list[str], str, str]]:
    return [tuple(json.loads(line)) for line in (tmp_path / "log").read_text().splitlines()]


def test_the_image_is_tagged_pushed_and_named_by_digest(ecr: Any, docker: Docker, tmp_path: Path):
    ecr.create_repository(repositoryName="longspan")
    uri = push("longspan:0.1.0-cpu", "longspan", ecr, docker)
    place, _, digest = uri.partition("@")
    assert place == f"{REGISTRY}/longspan"
    assert digest.startswith("sha256:")
    commands = [arguments for arguments, _, _ in told(tmp_path)]
    assert commands[1] == ["tag", "longspan:0.1.0-cpu", f"{place}:0.1.0-cpu"]
    assert commands[2][:3] == ["login", "--username", "AWS"]
    assert commands[2][-1] == REGISTRY
    assert commands[3] == ["push", f"{place}:0.1.0-cpu"]


def test_the_password_is_in_no_argument_and_in_no_folder_that_stays(
    ecr: Any, docker: Docker, tmp_path: Path
):
    ecr.create_repository(repositoryName="longspan")
    push("longspan:1", "longspan", ecr, docker)
    [(arguments, password, folder)] = [one for one in told(tmp_path) if one[0][0] == "login"]
    assert password
    assert password not in " ".join(arguments)
    assert folder
    assert not os.path.exists(folder)  # noqa: PTH110 - a name, not a path of ours


def test_a_repository_that_is_not_there_is_named(ecr: Any, docker: Docker):
    with pytest.raises(ImageError, match="expected a repository longspan in ECR, got none"):
        push("longspan:1", "longspan", ecr, docker)


def test_a_failing_docker_says_why(ecr: Any):
    with pytest.raises(ImageError, match="expected no-such-docker on the PATH"):
        push("longspan:1", "longspan", ecr, Docker("no-such-docker"))
    with pytest.raises(ImageError, match="docker image: failed without a message"):
        push("longspan:1", "longspan", ecr, Docker("false"))
