"""Clients of AWS, unchanged, from training to an answer of an endpoint of the local cloud.

`.ci/run` installs them into `build/clients`, each into an environment of its own. Those that are
not installed are skipped.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from longspan.inference import Translator
from longspan.pipelines.command import main

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
CLIENTS = HERE.parents[1] / "build/clients"
TEXT = "The old doctor reads three books."


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    sample, out = str(folder / "sample"), folder / "prepared"
    few = ("--pairs", "300", "--validation", "20", "--test-per-bucket", "2")
    assert main(["sample", "--out", sample, *few]) == 0
    pairs = [f"{sample}/train.tsv", "--source-column", "en", "--target-column", "ja"]
    given = ["--validation", f"{sample}/validation.tsv", "--test", f"{sample}/test.tsv"]
    small = ["--vocabulary-size", "400"]
    assert main(["prepare", *pairs, *given, *small, "--out", str(out)]) == 0
    return out


def session(
    command: Sequence[str], cloud: Any, folder: Path, variables: Mapping[str, str]
) -> dict[str, Any]:
    """Run a client; the JSON of its last line."""
    done = subprocess.run(
        list(command),
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **cloud.environment,
            **variables,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    print(done.stdout, done.stderr, sep="\n")  # shown where a test fails
    assert done.returncode == 0
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def translation(cloud: Any, job: str, folder: Path) -> str:
    """The translation by the model of a training job, read from S3."""
    described = cloud.client("sagemaker").describe_training_job(TrainingJobName=job)
    uri = described["ModelArtifacts"]["S3ModelArtifacts"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    archive = folder / "model.tar.gz"
    cloud.client("s3").download_file(bucket, key, str(archive))
    with tarfile.open(archive) as content:
        content.extractall(folder / "model", filter="data")
    return Translator.open(folder / "model").translate([TEXT])[0].text


@pytest.mark.parametrize(
    ("name", "needs", "command"),
    [
        ("SDK v2", "sdk-v2/bin/python", ("{}", "sdk_v2.py")),
        ("SDK v3", sys.executable, ("{}", "sdk_v3.py")),
        ("AWS CLI", "aws-cli/bin/aws", ("bash", "aws_cli.sh")),
        ("SDK for JavaScript", "javascript/node_modules/@aws-sdk", ("node", "javascript.mjs")),
    ],
    ids=["sdk-v2", "sdk-v3", "aws-cli", "javascript"],
)
def test_a_session_from_training_to_an_answer(
    name: str, needs: str, command: Sequence[str], cloud: Any, prepared: Path, tmp_path: Path
) -> None:
    installed = CLIENTS / needs
    if not installed.exists():
        pytest.skip(f"{name} is not installed in build/clients; `.ci/run` installs it")
    program, script = command
    variables = {
        "CLIENT_BIN": str(CLIENTS / "aws-cli/bin"),
        "CLIENT_MODULES": str(CLIENTS / "javascript"),
    }
    said = session(
        [program.format(installed), str(HERE / script), str(prepared), TEXT],
        cloud,
        tmp_path,
        variables,
    )
    expected = translation(cloud, said["job"], tmp_path)
    assert said["answers"] == [expected] * len(said["answers"])
    assert said["answers"]
