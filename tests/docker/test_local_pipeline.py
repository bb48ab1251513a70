"""SageMaker's own local mode runs a pipeline of the image: Prepare, Train, Evaluate, Condition."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from longspan.pipelines.cloud.local_cloud import LocalCloud

pytestmark = [pytest.mark.docker, pytest.mark.long]


def test_the_sdks_local_pipeline_runs_to_its_gate(
    referee: Callable[..., Any],
    compose: None,
    storage: LocalCloud,
    tiny_settings: dict[str, str],
    tmp_path: Path,
):
    s3 = boto3.Session(
        storage.environment["AWS_ACCESS_KEY_ID"],
        storage.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=storage.environment["AWS_DEFAULT_REGION"],
    ).client("s3", endpoint_url=storage.environment["AWS_ENDPOINT_URL"])
    bucket = storage.environment["LONGSPAN_BUCKET"]
    command = ["sample", "--pairs", "400", "--validation", "50", "--out", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "longspan.pipelines.command", *command], check=True)
    s3.upload_file(str(tmp_path / "train.tsv"), bucket, "referee/pairs/train.tsv")

    steps = referee("local_pipeline.py", f"s3://{bucket}/referee", json.dumps(tiny_settings))

    assert {name: status for name, (status, _) in steps.items()} == {
        "Prepare": "Succeeded",
        "Train": "Succeeded",
        "Evaluate": "Succeeded",
        "Gate": "Succeeded",
        "HighGate": "Succeeded",
        "FailHighGate": "Failed",
    }, steps
    assert "below the bound of HighGate" in steps["FailHighGate"][1]
    found = s3.get_object(Bucket=bucket, Key="referee/evaluation/evaluation.json")
    assert 0 <= json.load(found["Body"])["gate"]["bleu_long"] <= 100
