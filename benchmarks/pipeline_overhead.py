"""Time that the local cloud adds to each step of a pipeline beyond its job, in milliseconds.

    python benchmarks/pipeline_overhead.py [--steps 20]

The pipelines are chains of steps whose jobs do nothing. `job` is the time that the job's container
ran, by the job's start and end times; `step` is the time of the step, and `between` the time from a
step's end to the next step's start. These are medians. `added` is the time of the execution divided
by its steps, minus `job`.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3

_UP = (sys.executable, "-m", "longspan.infra.local", "up", "--until-eof", "--directory")
_PROGRAM = ["python", "-S", "-c", ""]
_INSTANCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    with _local_cloud() as environment:
        print("| steps | job ms | step ms | between ms | added to each step ms |")
        print("|---|---|---|---|---|")
        for kind in ("Condition", "Processing", "Training"):
            print(_measure(environment, kind, arguments.steps), flush=True)


@contextmanager
def _local_cloud() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [*_UP, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait()


def _measure(environment: dict[str, str], kind: str, count: int) -> str:
    client = boto3.client(
        "sagemaker",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )
    steps = [_step(environment, kind, number) for number in range(count)]
    name = kind.lower()
    client.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        RoleArn=environment["LONGSPAN_ROLE_ARN"],
    )
    started = client.start_pipeline_execution(
        PipelineName=name, ClientRequestToken=uuid.uuid4().hex
    )
    arn = started["PipelineExecutionArn"]
    while True:
        execution = client.describe_pipeline_execution(PipelineExecutionArn=arn)
        if execution["PipelineExecutionStatus"] != "Executing":
            break
        time.sleep(0.1)
    assert execution["PipelineExecutionStatus"] == "Succeeded", execution
    records = client.list_pipeline_execution_steps(
        PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100
    )["PipelineExecutionSteps"]
    jobs = [_job_seconds(client, kind, record) for record in records]
    taken = [_seconds(record["StartTime"], record["EndTime"]) for record in records]
    gaps = [
        _seconds(one["EndTime"], other["StartTime"]) for one, other in itertools.pairwise(records)
    ]
    whole = _seconds(execution["CreationTime"], execution["LastModifiedTime"])
    added = 1000 * (whole - sum(jobs)) / count
    return (
        f"| {count} {kind} | {_median(jobs)} | {_median(taken)} | {_median(gaps)} | {added:.0f} |"
    )


def _step(environment: dict[str, str], kind: str, number: int) -> dict[str, Any]:
    role = environment["LONGSPAN_ROLE_ARN"]
    arguments: dict[str, dict[str, Any]] = {
        "Condition": {"Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}]},
        "Processing": {
            "RoleArn": role,
            "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": _PROGRAM},
            "ProcessingResources": {"ClusterConfig": _INSTANCES},
        },
        "Training": {
            "RoleArn": role,
            "AlgorithmSpecification": {
                "TrainingImage": "image",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": _PROGRAM,
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{environment['LONGSPAN_BUCKET']}/out"},
            "ResourceConfig": _INSTANCES,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }
    before = [f"S{number - 1}"] if number else []
    return {
        "Name": f"S{number}",
        "Type": kind,
        "Arguments": arguments[kind],
        "DependsOn": before,
    }


def _job_seconds(client: Any, kind: str, record: dict[str, Any]) -> float:
    if kind == "Condition":
        return 0.0
    name = record["Metadata"][f"{kind}Job"]["Arn"].rsplit("/", 1)[-1]
    describe = getattr(client, f"describe_{kind.lower()}_job")
    job = describe(**{f"{kind}JobName": name})
    return _seconds(job[f"{kind}StartTime"], job[f"{kind}EndTime"])


def _seconds(start: Any, end: Any) -> float:
    return float((end - start).total_seconds())


def _median(values: Sequence[float]) -> str:
    return f"{1000 * statistics.median(values):.0f}"


if __name__ == "__main__":
    main()
