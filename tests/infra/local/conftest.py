"""A local cloud per test module, as a user would start one: a process, with boto3 for a client."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest


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

    def client(self, service: str) -> Any:
        session = boto3.Session(
            self.environment["AWS_ACCESS_KEY_ID"],
            self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
        )
        return session.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    def stop(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(60)


def start_cloud(directory: Path, *options: str) -> RunningCloud:
    process = subprocess.Popen(
        [sys.executable, "-m", "longspan.infra.local", "up", "--until-eof"]
        + ["--directory", str(directory), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the local cloud did not start: exit status {process.wait(10)}"
    return RunningCloud(process, json.loads(line), directory)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    running = start_cloud(tmp_path_factory.mktemp("cloud"))
    yield running
    running.stop()
    if running.process.stdout is not None:
        running.process.stdout.close()


@pytest.fixture(scope="module")
def sagemaker(cloud: RunningCloud) -> Any:
    return cloud.client("sagemaker")


@pytest.fixture(scope="module")
def s3(cloud: RunningCloud) -> Any:
    return cloud.client("s3")
