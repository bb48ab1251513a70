"""A local cloud per test module, as a user would start one: a process, with boto3 for a client."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config


@dataclass(frozen=True)
class RunningCloud:
    """A cloud in a process of its own; ending its standard input ends it."""

    process: "subprocess.Popen[str]"
    environment: dict[str, str]
    directory: Path

    @property
    def role(self) -> str:
        return self.environment["LONGSPAN_ROLE_ARN"]

    @property
    def bucket(self) -> str:
        return self.environment["LONGSPAN_BUCKET"]

    def client(self, service: str, config: Config | None = None) -> Any:
        session = boto3.Session(
            self.environment["AWS_ACCESS_KEY_ID"],
            self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
        )
        url = self.environment["AWS_ENDPOINT_URL"]
        return session.client(service, endpoint_url=url, config=config)

    def stop(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(180)

    def close(self) -> None:
        self.stop()
        if self.process.stdout is not None:
            self.process.stdout.close()


_UP = ("-m", "longspan.infra.local", "up", "--until-eof")
# Whose endpoints run a server of a few lines, see there.
_TINY = (str(Path(__file__).with_name("tiny_cloud.py")),)


def start_cloud(directory: Path, *options: str, program: Sequence[str] = _UP) -> RunningCloud:
    process = subprocess.Popen(
        [sys.executable, *program, "--directory", str(directory), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the local cloud did not start: exit status {process.wait(180)}"
    environment = json.loads(line)
    assert "error" not in environment, environment
    return RunningCloud(process, environment, directory)


def _launcher() -> Iterator[Callable[..., RunningCloud]]:
    """Starts local clouds; those that run at the end are stopped."""
    started = []

    def launch(directory: Path, *options: str, tiny: bool = False) -> RunningCloud:
        started.append(start_cloud(directory, *options, program=_TINY if tiny else _UP))
        return started[-1]

    yield launch
    for cloud in started:
        cloud.close()


launch = pytest.fixture(_launcher, name="launch")
launch_module = pytest.fixture(_launcher, name="launch_module", scope="module")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    running = start_cloud(tmp_path_factory.mktemp("cloud"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def tiny_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    running = start_cloud(tmp_path_factory.mktemp("cloud"), program=_TINY)
    yield running
    running.close()


@pytest.fixture(scope="module")
def sagemaker(cloud: RunningCloud) -> Any:
    return cloud.client("sagemaker")


@pytest.fixture(scope="module")
def s3(cloud: RunningCloud) -> Any:
    return cloud.client("s3")
