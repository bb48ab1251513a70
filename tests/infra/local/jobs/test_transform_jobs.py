"""Transform jobs over real processes and `tiny_server.py`: covers `kinds` and `transform_run`."""

import io
import json
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.local.jobs.job_client import JobClient


@pytest.fixture(scope="module")
def job_client(tiny_cloud: Any, tmp_path_factory: pytest.TempPathFactory) -> JobClient:
    job_client = JobClient(
        tiny_cloud,
        tiny_cloud.client("sagemaker"),
        tiny_cloud.client("s3"),
        tmp_path_factory.mktemp("scripts"),
    )
    make_model(job_client, "echo", {"name": "echo"})
    return job_client


def make_model(job_client: JobClient, name: str, content: dict[str, Any]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        body = json.dumps(content).encode()
        member = tarfile.TarInfo("tiny.json")
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
    job_client.sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=job_client.cloud.role,
        PrimaryContainer={
            "Image": "image",
            "ModelDataUrl": job_client.put(f"models/{name}/model.tar.gz", packed.getvalue()),
        },
    )


def transform(job_client: JobClient, folder: str, model: str = "echo", **members: Any) -> str:
    name = job_client.name("transform")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": job_client.uri(f"{folder}/")}}
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": model,
        "BatchStrategy": "SingleRecord",
        "TransformInput": {
            "DataSource": source,
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": job_client.uri(f"{name}/"),
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    job_client.sagemaker.create_transform_job(**{**request, **members})
    return name


def bodies(job_client: JobClient, name: str, path: str) -> list[str]:
    """What each request of an object held."""
    return [json.loads(line)["body"] for line in job_client.get(f"{name}/{path}.out").splitlines()]


def test_every_line_is_a_request_and_every_object_a_result(job_client: JobClient) -> None:
    job_client.put("lines/a.jsonl", b"one\ntwo\n")
    job_client.put("lines/b/c.jsonl", b"three")
    name = transform(job_client, "lines")
    job = job_client.transformed(name)
    assert job["TransformJobStatus"] == "Completed", job
    assert job_client.keys(f"{name}/") == ["a.jsonl.out", "b/c.jsonl.out"]
    assert bodies(job_client, name, "a.jsonl") == ["one\n", "two\n"]
    assert bodies(job_client, name, "b/c.jsonl") == ["three"]
    assert "serving echo" in job_client.log("TransformJobs", name)


def test_records_go_together_up_to_the_payload(job_client: JobClient) -> None:
    line = b"x" * 399_999 + b"\n"
    job_client.put("long/a", line * 5)
    name = transform(job_client, "long", BatchStrategy="MultiRecord", MaxPayloadInMB=1)
    assert job_client.transformed(name)["TransformJobStatus"] == "Completed"
    assert [len(body) for body in bodies(job_client, name, "a")] == [800_000, 800_000, 400_000]


def test_a_record_beyond_the_payload_fails_the_job(job_client: JobClient) -> None:
    job_client.put("longer/a", b"x" * 1_000_001)
    job = job_client.transformed(transform(job_client, "longer", MaxPayloadInMB=1))
    assert job["TransformJobStatus"] == "Failed"
    assert "longer/a" in job["FailureReason"]
    assert "MaxPayloadInMB" in job["FailureReason"]


def test_an_error_of_the_model_fails_the_job(job_client: JobClient) -> None:
    job_client.put("wrong/a", b"bad")
    job = job_client.transformed(transform(job_client, "wrong"))
    assert job["TransformJobStatus"] == "Failed"
    assert "Bad HTTP status received from algorithm: 400: bad" in job["FailureReason"]


def test_a_model_that_does_not_start_fails_the_job(job_client: JobClient) -> None:
    make_model(job_client, "dead", {"name": "dead", "exit": 3})
    job_client.put("few/a", b"one")
    job = job_client.transformed(transform(job_client, "few", model="dead"))
    assert job["TransformJobStatus"] == "Failed"
    assert "exit status 3" in job["FailureReason"]


def test_a_job_can_be_stopped(job_client: JobClient) -> None:
    job_client.put("slow/a", b"hang\n" * 100)
    patience = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 3}
    name = transform(job_client, "slow", ModelClientConfig=patience)
    job_client.sagemaker.stop_transform_job(TransformJobName=name)
    assert job_client.transformed(name)["TransformJobStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ModelName": "nobody"}, "Could not find model"),
        ({"DataProcessing": {"JoinSource": "Input"}}, "JoinSource"),
        ({"MaxPayloadInMB": 101}, "100"),
        ({"TransformResources": {"InstanceType": "ml.x", "InstanceCount": 1}}, "ml.x"),
    ],
)
def test_what_cannot_run_is_refused(
    job_client: JobClient, members: dict[str, Any], message: str
) -> None:
    job_client.put("any/a", b"one")
    with pytest.raises(ClientError, match=message):
        transform(job_client, "any", **members)


def test_a_list_has_what_was_created(job_client: JobClient) -> None:
    job_client.put("listed/a", b"one")
    name = transform(job_client, "listed")
    job_client.transformed(name)
    found = job_client.sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
    assert [job["TransformJobStatus"] for job in found] == ["Completed"]
