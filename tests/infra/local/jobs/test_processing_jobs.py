"""Processing jobs over real processes, by unmodified boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.local.job_bench import JobBench


@pytest.fixture(scope="module")
def bench(
    cloud: Any, sagemaker: Any, s3: Any, tmp_path_factory: pytest.TempPathFactory
) -> JobBench:
    return JobBench(cloud, sagemaker, s3, tmp_path_factory.mktemp("scripts"))


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


def test_data_go_in_and_results_come_out(bench: JobBench) -> None:
    bench.put("text/a.txt", b"A")
    bench.put("text/b.txt", b"B")
    name = bench.process(
        COPY,
        "!",
        ProcessingInputs=[given("text", bench.uri("text/"))],
        ProcessingOutputConfig={"Outputs": [result("copy", bench.uri("copied"))]},
    )
    job = bench.processed(name)
    assert job["ProcessingJobStatus"] == "Completed", job
    assert bench.keys("copied/") == ["a.txt", "b.txt"]
    assert bench.get("copied/a.txt") == b"A!"
    assert job["ExitMessage"] == "2 files"
    assert "copied" in bench.log("ProcessingJobs", name)
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    found = bench.sagemaker.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"]
    assert found[0]["ProcessingJobStatus"] == "Completed"


def test_one_object_keeps_its_name(bench: JobBench) -> None:
    uri = bench.put("alone/pairs.tsv", b"A")
    name = bench.process(
        COPY,
        "",
        ProcessingInputs=[given("text", uri)],
        ProcessingOutputConfig={"Outputs": [result("copy", bench.uri("one"))]},
    )
    assert bench.processed(name)["ProcessingJobStatus"] == "Completed"
    assert bench.keys("one/") == ["pairs.tsv"]


def test_a_failure_leaves_no_result_and_its_reason(bench: JobBench) -> None:
    script = (
        "import pathlib, sys\n"
        "pathlib.Path('/opt/ml/processing/output/copy/half').write_text('x')\n"
        "pathlib.Path('/opt/ml/output/message').write_text('pairs.tsv:3: two columns')\n"
        "sys.exit(1)"
    )
    outputs = {"Outputs": [result("copy", bench.uri("half"))]}
    job = bench.processed(bench.process(script, ProcessingOutputConfig=outputs))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: pairs.tsv:3: two columns, exit code: 1"
    assert job["ExitMessage"] == "pairs.tsv:3: two columns"
    assert bench.keys("half/") == []


def test_continuous_outputs_are_there_while_the_job_runs(bench: JobBench) -> None:
    script = (
        "import pathlib, time\n"
        "pathlib.Path('/opt/ml/processing/output/live/first').write_text('x')\n"
        "time.sleep(60)"
    )
    outputs = {"Outputs": [result("live", bench.uri("live"), "Continuous")]}
    name = bench.process(script, ProcessingOutputConfig=outputs)
    bench.until(lambda: bench.keys("live/") == ["first"])
    bench.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert bench.processed(name)["ProcessingJobStatus"] == "Stopped"


def test_instances_share_the_objects(bench: JobBench) -> None:
    for number in range(4):
        bench.put(f"parts/{number}", b"x")
    name = bench.process(
        COPY,
        "",
        instances=2,
        ProcessingInputs=[
            given("text", bench.uri("parts/"), S3DataDistributionType="ShardedByS3Key")
        ],
        ProcessingOutputConfig={"Outputs": [result("copy", bench.uri("merged"))]},
    )
    assert bench.processed(name)["ProcessingJobStatus"] == "Completed"
    assert bench.keys("merged/") == ["0", "1", "2", "3"]


def test_past_its_limit_a_job_fails(bench: JobBench) -> None:
    limit = {"MaxRuntimeInSeconds": 1}
    job = bench.processed(bench.process("import time; time.sleep(60)", StoppingCondition=limit))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "MaxRuntimeInSeconds of 1" in job["FailureReason"]


def test_a_job_has_its_roles_rights(bench: JobBench) -> None:
    script = (
        "import boto3, os\n"
        "boto3.client('s3').put_object(Bucket=os.environ['BUCKET'], Key='by-job', Body=b'me')"
    )
    name = bench.process(script, Environment={"BUCKET": bench.cloud.bucket})
    assert bench.processed(name)["ProcessingJobStatus"] == "Completed"
    assert bench.get("by-job") == b"me"


def test_an_isolated_job_does_not_reach_the_cloud(bench: JobBench) -> None:
    script = "import os, sys; sys.exit('AWS_ENDPOINT_URL' in os.environ)"
    name = bench.process(script, NetworkConfig={"EnableNetworkIsolation": True})
    assert bench.processed(name)["ProcessingJobStatus"] == "Completed"


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
    ],
)
def test_what_cannot_run_is_refused(bench: JobBench, members: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        bench.process("pass", **members)


def test_without_an_entrypoint_processes_cannot_run(bench: JobBench) -> None:
    job = bench.processed(bench.process("", AppSpecification={"ImageUri": "image"}))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "ContainerEntrypoint" in job["FailureReason"]


def test_a_name_is_taken_once(bench: JobBench) -> None:
    name = bench.process("pass")
    with pytest.raises(ClientError) as refused:
        bench.process("pass", ProcessingJobName=name)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
