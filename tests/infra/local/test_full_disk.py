"""A disk that becomes full below a local cloud: jobs end, and what was answered is kept."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.documents import Documents, Key
from tests.infra.local.conftest import RunningCloud
from tests.small_disk import fill, small_disk

KEY, OTHER = Key("job", "us-east-1", "a"), Key("job", "us-east-1", "b")
LARGE = {"text": "x" * 100_000}
ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "24m") as folder:
        yield folder


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 180
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_a_change_that_is_not_on_disk_is_not_made(disk: Path) -> None:
    documents = Documents(disk / "state")
    documents.create(KEY, {"status": "old"})
    fill(disk)
    with pytest.raises(OSError, match="No space"):
        documents.create(OTHER, LARGE)
    with pytest.raises(OSError, match="No space"):
        documents.change(KEY, **LARGE)
    assert documents.find(OTHER) is None
    assert documents.get(KEY) == {"status": "old"}
    documents.delete(KEY)
    documents.close()
    assert Documents(disk / "state").of("job") == []


def test_work_that_cannot_be_refused_is_saved_later(disk: Path) -> None:
    documents = Documents(disk / "state")
    for key in (KEY, OTHER):
        documents.create(key, {"status": "old"})
    filler = fill(disk)
    with documents.patient():
        documents.change(KEY, status="new", **LARGE)
        documents.change(OTHER, **LARGE)
        documents.delete(OTHER)
    assert documents.get(KEY)["status"] == "new"
    assert Documents(disk / "state").get(KEY) == {"status": "old"}
    with pytest.raises(OSError, match="No space"):  # other work is refused as before
        documents.change(KEY, status="newer")
    filler.unlink()
    until(lambda: Documents(disk / "state").get(KEY)["status"] == "new")
    documents.close()
    assert [key for key, _ in Documents(disk / "state").of("job")] == [KEY]


def test_what_is_lost_at_the_end_is_named(disk: Path) -> None:
    documents = Documents(disk / "state")
    documents.create(KEY, {})
    fill(disk)
    with documents.patient():
        documents.change(KEY, **LARGE)
    with pytest.raises(LocalCloudError, match="are lost, No space left on device: job a"):
        documents.close()


def create_groups(sagemaker: Any) -> None:
    """Create documents of several blocks: the first may find room in one that a file has."""
    for number in range(9):
        name, text = f"group-{number}", "x" * 1000
        sagemaker.create_model_package_group(
            ModelPackageGroupName=name, ModelPackageGroupDescription=text
        )


SLEEP = "while [ ! -e '%s' ]; do sleep 0.1; done"


def test_a_job_fails_and_objects_stay(
    disk: Path, launch: Callable[..., RunningCloud], tmp_path: Path
) -> None:
    cloud = launch(disk / "cloud")
    sagemaker, s3 = cloud.client("sagemaker", ONCE), cloud.client("s3", ONCE)
    sagemaker.create_training_job(
        TrainingJobName="job",
        RoleArn=cloud.role,
        AlgorithmSpecification={
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sh", "-c", SLEEP % (tmp_path / "go")],
        },
        ResourceConfig={
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 1,
        },
        OutputDataConfig={"S3OutputPath": f"s3://{cloud.bucket}/out"},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )

    def job(wanted: str, client: Any = sagemaker) -> Any:
        found = client.describe_training_job(TrainingJobName="job")
        return found if wanted in (found["TrainingJobStatus"], found["SecondaryStatus"]) else None

    until(lambda: job("Training"))
    filler = fill(disk)
    s3.put_object(Bucket=cloud.bucket, Key="answered", Body=bytes(100_000))
    with pytest.raises(ClientError, match="cannot save it: No space left on device"):
        create_groups(sagemaker)

    def refused() -> bool:
        try:
            s3.put_object(Bucket=cloud.bucket, Key="later", Body=b"x")
        except ClientError as error:
            return "InsufficientStorage" in str(error)
        return False

    until(refused)
    (tmp_path / "go").touch()
    failed = until(lambda: job("Failed"))
    assert "No space left on device" in failed["FailureReason"]
    filler.unlink()
    until(lambda: not refused())
    assert cloud.stop() == 0

    again = launch(disk / "cloud")
    assert job("Failed", again.client("sagemaker"))["FailureReason"] == failed["FailureReason"]
    kept = again.client("s3").get_object(Bucket=again.bucket, Key="answered")["Body"].read()
    assert kept == bytes(100_000)
    again.close()
