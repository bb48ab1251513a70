"""Programs that name `/opt/ml` themselves, as AWS's examples do: on S3, or failed in words."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.local.conftest import RunningCloud

WRITE = "mkdir -p /opt/ml/processing/train && echo 1,2 > /opt/ml/processing/train/train.csv"
OUTPUT = {
    "OutputName": "train",
    "S3Output": {"LocalPath": "/opt/ml/processing/train", "S3UploadMode": "EndOfJob"},
}
INSTANCES = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


@pytest.fixture(scope="module")
def without_mounts(
    launch_module: Callable[..., RunningCloud], tmp_path_factory: pytest.TempPathFactory
) -> RunningCloud:
    return launch_module(tmp_path_factory.mktemp("cloud"), "--no-mounts", tiny=True)


@pytest.fixture
def own_root() -> Iterator[Path]:
    """This machine's own folder, which stays as it was."""
    root = Path("/opt/ml")
    there = root.exists()
    written = root / "processing/train/train.csv"
    if written.exists():
        pytest.skip(f"{written} exists on this machine")
    if not there:
        try:
            root.mkdir(parents=True)
        except OSError as error:
            pytest.skip(f"needs the right to write {root}: {error}")
    yield root
    written.unlink(missing_ok=True)
    (root / "model/weights").unlink(missing_ok=True)
    if not there:
        shutil.rmtree(root)


def process(cloud: RunningCloud, name: str, command: list[str]) -> Any:
    """Run a job with one output; return its description."""
    sagemaker = cloud.client("sagemaker")
    uri = f"s3://{cloud.bucket}/{name}"
    output = {**OUTPUT, "S3Output": {**OUTPUT["S3Output"], "S3Uri": uri}}  # type: ignore[dict-item]
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=cloud.role,
        AppSpecification={"ImageUri": "image", "ContainerEntrypoint": command},
        ProcessingOutputConfig={"Outputs": [output]},
        ProcessingResources={"ClusterConfig": INSTANCES},
    )
    return _ended(lambda: sagemaker.describe_processing_job(ProcessingJobName=name), "Processing")


def train(cloud: RunningCloud, name: str, command: list[str]) -> Any:
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=cloud.role,
        AlgorithmSpecification={
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": command,
        },
        ResourceConfig=INSTANCES,
        OutputDataConfig={"S3OutputPath": f"s3://{cloud.bucket}/{name}"},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    return _ended(lambda: sagemaker.describe_training_job(TrainingJobName=name), "Training")


def _ended(describe: Callable[[], Any], kind: str) -> Any:
    deadline = time.monotonic() + 180
    while (found := describe())[f"{kind}JobStatus"] in ("InProgress", "Stopping"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def keys(cloud: RunningCloud, prefix: str) -> list[str]:
    listed = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix=prefix)
    return [found["Key"] for found in listed.get("Contents", ())]


def test_outputs_are_on_s3(cloud: RunningCloud) -> None:
    before = set(Path("/opt/ml").rglob("*"))
    job = process(cloud, "mounted", ["sh", "-c", WRITE])
    if "mount namespaces" in job.get("FailureReason", ""):
        pytest.skip(job["FailureReason"])
    assert job["ProcessingJobStatus"] == "Completed"
    assert keys(cloud, "mounted") == ["mounted/train.csv"]
    assert set(Path("/opt/ml").rglob("*")) == before
    empty = process(cloud, "empty", ["true"])  # as on AWS
    assert empty["ProcessingJobStatus"] == "Completed"


def test_without_mounts_an_empty_output_is_a_failure(without_mounts: RunningCloud) -> None:
    job = process(without_mounts, "empty", ["true"])
    assert job["ProcessingJobStatus"] == "Failed"
    assert "expected files in the output /opt/ml/processing/train, got none" in job["FailureReason"]
    assert "LONGSPAN_BASE" in job["FailureReason"]
    filled = (
        'mkdir -p "$LONGSPAN_BASE/processing/train" && echo > "$LONGSPAN_BASE/processing/train/a"'
    )
    assert (
        process(without_mounts, "full", ["sh", "-c", filled])["ProcessingJobStatus"] == "Completed"
    )


def test_without_mounts_a_write_to_the_machines_own_folder_is_a_failure(
    without_mounts: RunningCloud, own_root: Path, tmp_path: Path
) -> None:
    # In a file: in arguments the path would be replaced.
    script = tmp_path / "script.sh"
    script.write_text(WRITE)
    job = process(without_mounts, "own", ["sh", str(script)])
    assert job["ProcessingJobStatus"] == "Failed"
    assert "wrote /opt/ml/processing/train/train.csv on this machine" in job["FailureReason"]
    script.write_text("mkdir -p /opt/ml/model && echo > /opt/ml/model/weights")
    job = train(without_mounts, "own", ["sh", str(script)])
    assert job["TrainingJobStatus"] == "Failed"
    assert "wrote /opt/ml/model/weights on this machine itself" in job["FailureReason"]
