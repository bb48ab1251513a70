"""Training jobs over real processes, by boto3: covers `kinds`, `service` and the run."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.local.jobs.job_client import JobClient

WAITS = """
import pathlib, signal, sys, time
base = "/opt/ml"
def stop(*_):
    pathlib.Path("/opt/ml/model/saved").write_text("at the end")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def job_client(
    cloud: Any, sagemaker: Any, s3: Any, tmp_path_factory: pytest.TempPathFactory
) -> JobClient:
    return JobClient(cloud, sagemaker, s3, tmp_path_factory.mktemp("scripts"))


def channel(name: str, uri: str, **members: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, **members}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def test_data_go_in_and_a_model_comes_out(job_client: JobClient) -> None:
    job_client.put("in/a/pairs.txt", b"one")
    job_client.put("in/b.txt", b"two")
    script = (
        "import json, pathlib, shutil\n"
        "config = json.load(open('/opt/ml/input/config/hyperparameters.json'))\n"
        "data = sorted(str(p.relative_to('/opt/ml/input/data')) for p in "
        "pathlib.Path('/opt/ml/input/data').rglob('*') if p.is_file())\n"
        "resources = json.load(open('/opt/ml/input/config/resourceconfig.json'))\n"
        "inputs = json.load(open('/opt/ml/input/config/inputdataconfig.json'))\n"
        "json.dump([config, data, resources, inputs], open('/opt/ml/model/seen.json', 'w'))\n"
        "pathlib.Path('/opt/ml/output/data/extra').write_text('x')\n"
        "print('loss=2.5;'); print('loss=1.5;')\n"
    )
    name = job_client.train(
        script,
        HyperParameters={"attention_heads": "4"},
        InputDataConfig=[channel("train", job_client.uri("in/"))],
        MetricDefinitions=[{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
    )
    job = job_client.trained(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    config, data, resources, inputs = json.loads(job_client.model(job)["seen.json"])
    assert config == {"attention_heads": "4"}
    assert data == ["train/a/pairs.txt", "train/b.txt"]
    assert resources["current_host"] in resources["hosts"]
    assert inputs["train"]["TrainingInputMode"] == "File"
    assert [(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]] == [("loss", 1.5)]
    assert job_client.keys(f"models/{name}/output/") == ["model.tar.gz", "output.tar.gz"]
    assert "loss=2.5;" in job_client.log("TrainingJobs", name)
    passed = [t["Status"] for t in job["SecondaryStatusTransitions"]]
    assert passed == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["BillableTimeInSeconds"] >= 1


def test_the_reason_of_a_failure_is_shown(job_client: JobClient) -> None:
    script = (
        "import sys\nopen('/opt/ml/output/failure', 'w').write('no such column: ja')\nsys.exit(3)"
    )
    job = job_client.trained(job_client.train(script))
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: no such column: ja, exit code: 3"
    assert "ModelArtifacts" not in job


def test_a_killed_container_says_so(job_client: JobClient) -> None:
    job = job_client.trained(job_client.train("import os; os.kill(os.getpid(), 9)"))
    assert job["TrainingJobStatus"] == "Failed"
    assert "killed" in job["FailureReason"]
    assert job["FailureReason"].endswith("exit code: 137")


def test_past_its_limit_a_job_fails_and_keeps_its_model(job_client: JobClient) -> None:
    name = job_client.train(WAITS, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = job_client.trained(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert "MaxRuntimeInSeconds of 1" in job["FailureReason"]
    assert job_client.model(job)["saved"] == b"at the end"


def test_a_stopped_job_saves_and_stops(job_client: JobClient) -> None:
    name = job_client.train(WAITS)
    job_client.until(
        lambda: (
            job_client.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"]
            == "Training"
        )
    )
    job_client.until(lambda: "ready" in job_client.log("TrainingJobs", name))
    job_client.sagemaker.stop_training_job(TrainingJobName=name)
    job = job_client.trained(name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert job_client.model(job)["saved"] == b"at the end"
    with pytest.raises(ClientError, match="training job is in status Stopped"):
        job_client.sagemaker.stop_training_job(TrainingJobName=name)


def test_checkpoints_are_mirrored_and_found_again(job_client: JobClient) -> None:
    script = (
        "import pathlib\n"
        "folder = pathlib.Path('/opt/ml/checkpoints')\n"
        "old = folder / 'step'\n"
        "n = int(old.read_text()) if old.exists() else 0\n"
        "old.write_text(str(n + 1))\n"
        "(folder / 'gone').unlink(missing_ok=True)\n"
        "if n == 0: (folder / 'gone').write_text('x')\n"
    )
    config = {"CheckpointConfig": {"S3Uri": job_client.uri("checkpoints")}}
    job_client.trained(job_client.train(script, **config))
    assert job_client.keys("checkpoints/") == ["gone", "step"]
    job_client.trained(job_client.train(script, **config))
    assert job_client.get("checkpoints/step") == b"2"
    assert job_client.keys("checkpoints/") == ["step"]


def test_several_hosts_find_each_other_and_share_the_data(job_client: JobClient) -> None:
    for number in range(4):
        job_client.put(f"shards/{number}", b"x")
    script = (
        "import json, os, pathlib\n"
        "r = json.load(open('/opt/ml/input/config/resourceconfig.json'))\n"
        "names = sorted(os.listdir('/opt/ml/input/data/train'))\n"
        "me = r['hosts'].index(r['current_host'])\n"
        "pathlib.Path(f'/opt/ml/model/host-{me}').write_text(','.join(names))\n"
    )
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    data = channel("train", job_client.uri("shards/"), S3DataDistributionType="ShardedByS3Key")
    job = job_client.trained(
        job_client.train(script, ResourceConfig=resources, InputDataConfig=[data])
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    shares = [job_client.model(job)[f"host-{n}"].decode().split(",") for n in (0, 1)]
    assert sorted(shares[0] + shares[1]) == ["0", "1", "2", "3"]
    assert all(len(share) == 2 for share in shares)


def test_one_failing_host_ends_the_job(job_client: JobClient) -> None:
    script = (
        "import json, sys, time\n"
        "r = json.load(open('/opt/ml/input/config/resourceconfig.json'))\n"
        "sys.exit(4) if r['current_host'] == r['hosts'][1] else time.sleep(60)\n"
    )
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = job_client.trained(job_client.train(script, ResourceConfig=resources))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].endswith("exit code: 4")


def test_a_list_has_what_was_created(job_client: JobClient) -> None:
    name = job_client.train("pass")
    job_client.trained(name)
    found = job_client.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in found] == [name]
    assert found[0]["TrainingJobStatus"] == "Completed"
    assert found[0]["CreationTime"] <= found[0]["TrainingEndTime"]


def test_a_deleted_job_is_gone_and_its_name_free(job_client: JobClient) -> None:
    name = job_client.train("pass")
    job_client.trained(name)
    job_client.sagemaker.delete_training_job(TrainingJobName=name)
    with pytest.raises(ClientError, match="Requested resource not found"):
        job_client.sagemaker.describe_training_job(TrainingJobName=name)
    assert job_client.trained(job_client.train("pass", TrainingJobName=name) and name)


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Validation", "assume role"),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.tiny", "InstanceCount": 1}},
            "Validation",
            "ml.m5.tiny",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0}},
            "Validation",
            "expected 1 or more, got 0",
        ),
        ({"ResourceConfig": {"InstanceCount": 1}}, "Validation", "InstanceType must be given"),
        (
            {"InputDataConfig": [channel("train", "s3://longspan-none/in")]},
            "Validation",
            "No S3 objects found",
        ),
        ({"EnableManagedSpotTraining": True}, "Validation", "MaxWaitTimeInSeconds"),
        (
            {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=("}]},
            "Validation",
            "Invalid regex",
        ),
        ({"TrainingJobName": "under_score"}, "Validation", "trainingJobName"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/tmp"}}, "Validation", "/tmp"),
        (
            {"OutputDataConfig": {"S3OutputPath": "https://example.com/b/c"}},
            "Validation",
            "expected s3://bucket/key",
        ),
        ({"CheckpointConfig": {"S3Uri": "https://b.example.com/c"}}, "Validation", "s3://bucket"),
    ],
)
def test_what_cannot_run_is_refused(
    job_client: JobClient, members: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(ClientError) as refused:
        job_client.train("pass", **members)
    error = refused.value.response["Error"]
    assert code in error["Code"]
    assert message in error["Message"]


def test_a_name_is_taken_once(job_client: JobClient) -> None:
    name = job_client.train("pass")
    with pytest.raises(ClientError) as refused:
        job_client.train("pass", TrainingJobName=name)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


def test_what_ran_when_the_cloud_ended_has_failed(launch: Any, tmp_path: Path) -> None:
    first = launch(tmp_path)
    job_client = JobClient(first, first.client("sagemaker"), first.client("s3"), tmp_path)
    name = job_client.train(WAITS)
    job_client.until(lambda: "ready" in _quiet_log(job_client, name))
    first.process.kill()
    first.process.wait()
    second = launch(tmp_path)
    job = second.client("sagemaker").describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Failed"
    assert "the local cloud ended" in job["FailureReason"]


def _quiet_log(job_client: JobClient, name: str) -> list[str]:
    """The group is not there before the first line."""
    try:
        return job_client.log("TrainingJobs", name)
    except ClientError:
        return []


def test_a_job_has_the_members_that_sdks_read(job_client: JobClient) -> None:
    described = job_client.trained(job_client.train("pass"))
    assert described["OutputDataConfig"]["KmsKeyId"] == ""
    flags = ("NetworkIsolation", "InterContainerTrafficEncryption", "ManagedSpotTraining")
    assert [described[f"Enable{flag}"] for flag in flags] == [False] * 3


def test_an_address_of_aws_is_as_good_as_a_uri(job_client: JobClient) -> None:
    bucket = job_client.cloud.bucket
    place = f"https://s3.us-east-1.amazonaws.com/{bucket}/by-address"
    write = "open('/opt/ml/model/a', 'w').write('1')"
    job = job_client.trained(job_client.train(write, OutputDataConfig={"S3OutputPath": place}))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    name = job["TrainingJobName"]
    assert job_client.keys("by-address/") == [f"{name}/output/model.tar.gz"]


def test_an_upload_that_s3_refuses_is_the_clients_error(job_client: JobClient) -> None:
    target = {"S3OutputPath": "s3://longspan-none/models"}
    reason = job_client.trained(job_client.train("pass", OutputDataConfig=target))["FailureReason"]
    assert reason.startswith("ClientError: Artifact upload failed: ")
    assert "NoSuchBucket" in reason
    assert str(job_client.cloud.directory) not in reason


def test_a_compressed_channel_of_another_format(job_client: JobClient) -> None:
    uri = job_client.put("plain/a.txt", b"not gzip")
    given = {**channel("train", uri), "CompressionType": "Gzip"}
    reason = job_client.trained(job_client.train("pass", InputDataConfig=[given]))["FailureReason"]
    assert reason.startswith(f"ClientError: Data download failed: {uri}: expected a gzip file")


def test_the_name_of_a_deleted_job_is_free_at_once(job_client: JobClient) -> None:
    """The first job's thread still clears its folder when the second one starts."""
    many = (
        "import os, pathlib\nfolder = pathlib.Path(os.environ['LONGSPAN_BASE'], 'many')\n"
        "folder.mkdir()\nfor number in range(5000): (folder / str(number)).touch()\n"
    )
    name = job_client.train(many)
    assert job_client.trained(name)["TrainingJobStatus"] == "Completed"
    described = job_client.sagemaker.describe_training_job(TrainingJobName=name)
    job_client.sagemaker.delete_training_job(TrainingJobName=name)
    request = {
        member: described[member]
        for member in ("RoleArn", "AlgorithmSpecification", "OutputDataConfig", "ResourceConfig")
    }
    code = "import os, time; open(os.environ['LONGSPAN_BASE'] + '/model/a', 'w'); time.sleep(2)"
    request["AlgorithmSpecification"]["ContainerEntrypoint"] = ["python", "-c", code]
    limit = {"MaxRuntimeInSeconds": 600}
    job_client.sagemaker.create_training_job(
        **request, TrainingJobName=name, StoppingCondition=limit
    )
    again = job_client.trained(name)
    assert again["TrainingJobStatus"] == "Completed", again.get("FailureReason")
    assert job_client.model(again) == {"a": b""}
