"""Batch transform over real processes, by unmodified boto3; the model is `tiny_server.py`'s."""

import io
import json
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.local.job_bench import JobBench


@pytest.fixture(scope="module")
def bench(tiny_cloud: Any, tmp_path_factory: pytest.TempPathFactory) -> JobBench:
    bench = JobBench(
        tiny_cloud,
        tiny_cloud.client("sagemaker"),
        tiny_cloud.client("s3"),
        tmp_path_factory.mktemp("scripts"),
    )
    make_model(bench, "echo", {"name": "echo"})
    return bench


def make_model(bench: JobBench, name: str, content: dict[str, Any]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        body = json.dumps(content).encode()
        member = tarfile.TarInfo("tiny.json")
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
    bench.sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=bench.cloud.role,
        PrimaryContainer={
            "Image": "image",
            "ModelDataUrl": bench.put(f"models/{name}/model.tar.gz", packed.getvalue()),
        },
    )


def transform(bench: JobBench, folder: str, model: str = "echo", **members: Any) -> str:
    name = bench.name("transform")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": bench.uri(f"{folder}/")}}
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
            "S3OutputPath": bench.uri(f"{name}/"),
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    bench.sagemaker.create_transform_job(**{**request, **members})
    return name


def bodies(bench: JobBench, name: str, path: str) -> list[str]:
    """What each request of an object held."""
    return [json.loads(line)["body"] for line in bench.get(f"{name}/{path}.out").splitlines()]


def test_every_line_is_a_request_and_every_object_a_result(bench: JobBench) -> None:
    bench.put("lines/a.jsonl", b"one\ntwo\n")
    bench.put("lines/b/c.jsonl", b"three")
    name = transform(bench, "lines")
    job = bench.transformed(name)
    assert job["TransformJobStatus"] == "Completed", job
    assert bench.keys(f"{name}/") == ["a.jsonl.out", "b/c.jsonl.out"]
    assert bodies(bench, name, "a.jsonl") == ["one\n", "two\n"]
    assert bodies(bench, name, "b/c.jsonl") == ["three"]
    assert "serving echo" in bench.log("TransformJobs", name)


def test_records_go_together_up_to_the_payload(bench: JobBench) -> None:
    line = b"x" * 399_999 + b"\n"
    bench.put("long/a", line * 5)
    name = transform(bench, "long", BatchStrategy="MultiRecord", MaxPayloadInMB=1)
    assert bench.transformed(name)["TransformJobStatus"] == "Completed"
    assert [len(body) for body in bodies(bench, name, "a")] == [800_000, 800_000, 400_000]


def test_a_record_beyond_the_payload_fails_the_job(bench: JobBench) -> None:
    bench.put("longer/a", b"x" * 1_000_001)
    job = bench.transformed(transform(bench, "longer", MaxPayloadInMB=1))
    assert job["TransformJobStatus"] == "Failed"
    assert "longer/a" in job["FailureReason"]
    assert "MaxPayloadInMB" in job["FailureReason"]


def test_an_error_of_the_model_fails_the_job(bench: JobBench) -> None:
    bench.put("wrong/a", b"bad")
    job = bench.transformed(transform(bench, "wrong"))
    assert job["TransformJobStatus"] == "Failed"
    assert "Bad HTTP status received from algorithm: 400: bad" in job["FailureReason"]


def test_a_model_that_does_not_start_fails_the_job(bench: JobBench) -> None:
    make_model(bench, "dead", {"name": "dead", "exit": 3})
    bench.put("few/a", b"one")
    job = bench.transformed(transform(bench, "few", model="dead"))
    assert job["TransformJobStatus"] == "Failed"
    assert "exit status 3" in job["FailureReason"]


def test_a_job_can_be_stopped(bench: JobBench) -> None:
    bench.put("slow/a", b"hang\n" * 100)
    patience = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 3}
    name = transform(bench, "slow", ModelClientConfig=patience)
    bench.sagemaker.stop_transform_job(TransformJobName=name)
    assert bench.transformed(name)["TransformJobStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ModelName": "nobody"}, "Could not find model"),
        ({"DataProcessing": {"JoinSource": "Input"}}, "JoinSource"),
        ({"MaxPayloadInMB": 101}, "100"),
        ({"TransformResources": {"InstanceType": "ml.x", "InstanceCount": 1}}, "ml.x"),
    ],
)
def test_what_cannot_run_is_refused(bench: JobBench, members: dict[str, Any], message: str) -> None:
    bench.put("any/a", b"one")
    with pytest.raises(ClientError, match=message):
        transform(bench, "any", **members)


def test_a_list_has_what_was_created(bench: JobBench) -> None:
    bench.put("listed/a", b"one")
    name = transform(bench, "listed")
    bench.transformed(name)
    found = bench.sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
    assert [job["TransformJobStatus"] for job in found] == ["Completed"]
