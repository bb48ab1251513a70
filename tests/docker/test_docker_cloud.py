"""The local cloud with Docker: the whole pipeline with tuning and endpoint, and two machines."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError

from longspan.pipelines.cloud.local_cloud import LocalCloud
from tests.pipelines.small_config import small_config

pytestmark = [pytest.mark.docker, pytest.mark.long]

_SECONDS_TO_REMOVE = 120.0


@pytest.fixture(scope="module")
def cloud(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    before = containers()
    with LocalCloud(tmp_path_factory.mktemp("docker-cloud"), "--runtime", "docker") as cloud:
        yield cloud
    # Docker lists what it is removing until it is gone.
    deadline = time.monotonic() + _SECONDS_TO_REMOVE
    while not containers() <= before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert containers() <= before


def containers() -> set[str]:
    """Of local clouds."""
    command = ["docker", "ps", "--all", "--quiet", "--filter", "label=longspan.cloud"]
    return set(subprocess.run(command, capture_output=True, text=True).stdout.split())


def client(cloud: LocalCloud, service: str) -> Any:
    session = boto3.Session(
        cloud.environment["AWS_ACCESS_KEY_ID"],
        cloud.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=cloud.environment["AWS_DEFAULT_REGION"],
    )
    return session.client(service, endpoint_url=cloud.environment["AWS_ENDPOINT_URL"])


def test_the_whole_pipeline_runs_in_containers_to_a_translation(cloud: LocalCloud, tmp_path: Path):
    quick = {"baseline": {"enabled": False}, "tuning": {"jobs": 2, "parallel_jobs": 2}}
    (tmp_path / "longspan.yaml").write_text(small_config(**quick), encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LONGSPAN_"))}
    done = subprocess.run(
        [sys.executable, "-m", "longspan.pipelines.command", "run"],
        cwd=tmp_path,
        env={**kept, **cloud.environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=540,
    )
    print(done.stdout[-3000:], done.stderr[-3000:])
    assert done.returncode == 0
    assert "translated by the endpoint" in done.stdout
    sagemaker = client(cloud, "sagemaker")
    [endpoint] = sagemaker.list_endpoints()["Endpoints"]
    assert endpoint["EndpointStatus"] == "InService"
    runtime = client(cloud, "sagemaker-runtime")
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint["EndpointName"],
        ContentType="application/json",
        Body=json.dumps({"instances": [{"data": "Ken reads."}]}),
    )
    assert "target" in json.load(answer["Body"])["predictions"][0]
    sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


def test_two_machines_train_one_model(
    cloud: LocalCloud,
    write_prepared: Callable[..., Path],
    tiny_settings: dict[str, str],
    tmp_path: Path,
):
    prepared = write_prepared(tmp_path / "prepared")
    bucket = cloud.environment["LONGSPAN_BUCKET"]
    s3, sagemaker = client(cloud, "s3"), client(cloud, "sagemaker")
    for path in (path for path in prepared.rglob("*") if path.is_file()):
        s3.upload_file(str(path), bucket, f"two/{path.relative_to(prepared).as_posix()}")
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/two/"}
    sagemaker.create_training_job(
        TrainingJobName="two-machines",
        RoleArn=cloud.environment["LONGSPAN_ROLE_ARN"],
        AlgorithmSpecification={"TrainingImage": "longspan:local", "TrainingInputMode": "File"},
        HyperParameters=tiny_settings,
        InputDataConfig=[{"ChannelName": "prepared", "DataSource": {"S3DataSource": place}}],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 900},
    )
    with contextlib.suppress(WaiterError):  # the reason is told below
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName="two-machines", WaiterConfig={"Delay": 1, "MaxAttempts": 900}
        )
    job = sagemaker.describe_training_job(TrainingJobName="two-machines")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    logs = client(cloud, "logs")
    group = "/aws/sagemaker/TrainingJobs"
    [first, *_] = logs.describe_log_streams(
        logGroupName=group, logStreamNamePrefix="two-machines/algo-1"
    )["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=first["logStreamName"])
    text = "\n".join(event["message"] for event in events["events"])
    assert "2 processes" in text
