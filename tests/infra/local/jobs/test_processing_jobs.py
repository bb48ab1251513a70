"""Processing jobs over real processes, by boto3: covers `kinds`, `service` and the run."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.local.jobs.job_client import JobClient


@pytest.fixture(scope="module")
def job_client(
    cloud: Any, sagemaker: Any, s3: Any, tmp_path_factory: pytest.TempPathFactory
) -> JobClient:
    return JobClient(cloud, sagemaker, s3, tmp_path_factory.mktemp("scripts"))


def given(name: str, uri: str, **members: Any) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": {**source, **members}}


def result(name: str, uri: str, mode: str = "EndOfJob") -> dict[str, Any]:
    target = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/output/{name}",
        "S3UploadMode": mode,
    }
    return {"OutputName": name, "S3Output": target}


COPY = (
    "import pathlib, sys\n"
    "out = pathlib.Path('/opt/ml/processing/output/copy')\n"
    "for path in pathlib.Path('/opt/ml/processing/input/text').rglob('*'):\n"
    "    if path.is_file(): (out / path.name).write_text(path.read_text() + sys.argv[1])\n"
    "pathlib.Path('/opt/ml/output/message').write_text('2 files')\n"
    "print('copied')\n"
)


def test_data_go_in_and_results_come_out(job_client: JobClient) -> None:
    job_client.put("text/a.txt", b"A")
    job_client.put("text/b.txt", b"B")
    name = job_client.process(
        COPY,
        "!",
        ProcessingInputs=[given("text", job_client.uri("text/"))],
        ProcessingOutputConfig={"Outputs": [result("copy", job_client.uri("copied"))]},
    )
    job = job_client.processed(name)
    assert job["ProcessingJobStatus"] == "Completed", job
    assert job_client.keys("copied/") == ["a.txt", "b.txt"]
    assert job_client.get("copied/a.txt") == b"A!"
    assert job["ExitMessage"] == "2 files"
    assert "copied" in job_client.log("ProcessingJobs", name)
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    found = job_client.sagemaker.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"]
    assert found[0]["ProcessingJobStatus"] == "Completed"


def test_one_object_keeps_its_name(job_client: JobClient) -> None:
    uri = job_client.put("alone/pairs.tsv", b"A")
    name = job_client.process(
        COPY,
        "!",
        ProcessingInputs=[given("text", uri)],
        ProcessingOutputConfig={"Outputs": [result("copy", job_client.uri("one"))]},
    )
    assert job_client.processed(name)["ProcessingJobStatus"] == "Completed"
    assert job_client.keys("one/") == ["pairs.tsv"]


def test_a_failure_leaves_no_result_and_its_reason(job_client: JobClient) -> None:
    script = (
        "import pathlib, sys\n"
        "pathlib.Path('/opt/ml/processing/output/copy/half').write_text('x')\n"
        "pathlib.Path('/opt/ml/output/message').write_text('pairs.tsv:3: two columns')\n"
        "sys.exit(1)"
    )
    outputs = {"Outputs": [result("copy", job_client.uri("half"))]}
    job = job_client.processed(job_client.process(script, ProcessingOutputConfig=outputs))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: pairs.tsv:3: two columns, exit code: 1"
    assert job["ExitMessage"] == "pairs.tsv:3: two columns"
    assert job_client.keys("half/") == []


def test_continuous_outputs_are_there_while_the_job_runs(job_client: JobClient) -> None:
    script = (
        "import pathlib, time\n"
        "pathlib.Path('/opt/ml/processing/output/live/first').write_text('x')\n"
        "time.sleep(60)"
    )
    outputs = {"Outputs": [result("live", job_client.uri("live"), "Continuous")]}
    name = job_client.process(script, ProcessingOutputConfig=outputs)
    job_client.until(lambda: job_client.keys("live/") == ["first"])
    job_client.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert job_client.processed(name)["ProcessingJobStatus"] == "Stopped"


def test_instances_share_the_objects(job_client: JobClient) -> None:
    for number in range(4):
        job_client.put(f"parts/{number}", b"x")
    name = job_client.process(
        COPY,
        "!",
        instances=2,
        ProcessingInputs=[
            given("text", job_client.uri("parts/"), S3DataDistributionType="ShardedByS3Key")
        ],
        ProcessingOutputConfig={"Outputs": [result("copy", job_client.uri("merged"))]},
    )
    assert job_client.processed(name)["ProcessingJobStatus"] == "Completed"
    assert job_client.keys("merged/") == ["0", "1", "2", "3"]


def test_past_its_limit_a_job_fails(job_client: JobClient) -> None:
    limit = {"MaxRuntimeInSeconds": 1}
    job = job_client.processed(
        job_client.process("import time; time.sleep(60)", StoppingCondition=limit)
    )
    assert job["ProcessingJobStatus"] == "Failed"
    assert "MaxRuntimeInSeconds of 1" in job["FailureReason"]


def test_a_job_has_its_roles_rights(job_client: JobClient) -> None:
    script = (
        "import boto3, os\n"
        "boto3.client('s3').put_object(Bucket=os.environ['BUCKET'], Key='by-job', Body=b'me')"
    )
    name = job_client.process(script, Environment={"BUCKET": job_client.cloud.bucket})
    assert job_client.processed(name)["ProcessingJobStatus"] == "Completed"
    assert job_client.get("by-job") == b"me"


def test_an_isolated_job_does_not_reach_the_cloud(job_client: JobClient) -> None:
    script = "import os, sys; sys.exit('AWS_ENDPOINT_URL' in os.environ)"
    name = job_client.process(script, NetworkConfig={"EnableNetworkIsolation": True})
    assert job_client.processed(name)["ProcessingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ProcessingInputs": [given("x", "s3://longspan-none/in")]}, "No S3 objects found"),
        (
            {"ProcessingOutputConfig": {"Outputs": [result("a", "s3://b/1")] * 2}},
            "used twice",
        ),
        (
            {
                "ProcessingInputs": [
                    given("x", "s3://b/in", LocalPath="/opt/ml/processing/../../etc")
                ]
            },
            "below /opt/ml/",
        ),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "assume role"),
        (
            {
                "AppSpecification": {
                    "ImageUri": "image",
                    "ContainerEntrypoint": ["python"],
                    "ContainerArguments": ["a", ""],
                }
            },
            "'appSpecification.containerArguments.2.member' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
    ],
)
def test_what_cannot_run_is_refused(
    job_client: JobClient, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        job_client.process("pass", **members)


def test_without_an_entrypoint_processes_cannot_run(job_client: JobClient) -> None:
    job = job_client.processed(job_client.process("", AppSpecification={"ImageUri": "image"}))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "ContainerEntrypoint" in job["FailureReason"]


def test_a_name_is_taken_once(job_client: JobClient) -> None:
    name = job_client.process("pass")
    with pytest.raises(ClientError) as refused:
        job_client.process("pass", ProcessingJobName=name)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
