"""Client for tests of jobs: start small jobs by boto3, and wait for their ends."""

import io
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENDED = ("Completed", "Failed", "Stopped")


@dataclass
class JobClient:
    """Client of a local cloud, with unique names for jobs."""

    cloud: Any
    sagemaker: Any
    s3: Any
    folder: Path  # for scripts
    _count: list[int] = field(default_factory=lambda: [0])

    def name(self, stem: str) -> str:
        self._count[0] += 1
        return f"{stem}-{self._count[0]}"

    def uri(self, key: str) -> str:
        return f"s3://{self.cloud.bucket}/{key}"

    def put(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=self.cloud.bucket, Key=key, Body=body)
        return self.uri(key)

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.cloud.bucket, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.cloud.bucket, Prefix=prefix)
        return [found["Key"].removeprefix(prefix) for found in listed.get("Contents", ())]

    def train(self, script: str, **members: Any) -> str:
        """Start a job that runs the script; its name."""
        name = self.name("train")
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": self.cloud.role,
            "AlgorithmSpecification": {
                "TrainingImage": "image",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": self._program(name, script),
            },
            "OutputDataConfig": {"S3OutputPath": self.uri("models")},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }
        metrics = members.pop("MetricDefinitions", None)
        if metrics:
            request["AlgorithmSpecification"]["MetricDefinitions"] = metrics
        self.sagemaker.create_training_job(**{**request, **members})
        return name

    def process(self, script: str, *arguments: str, **members: Any) -> str:
        """Start a job that runs the script; its name."""
        name = self.name("process")
        request: dict[str, Any] = {
            "ProcessingJobName": name,
            "RoleArn": self.cloud.role,
            "AppSpecification": {
                "ImageUri": "image",
                "ContainerEntrypoint": self._program(name, script),
                **({"ContainerArguments": list(arguments)} if arguments else {}),
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": members.pop("instances", 1),
                    "VolumeSizeInGB": 1,
                }
            },
        }
        self.sagemaker.create_processing_job(**{**request, **members})
        return name

    def trained(self, name: str) -> dict[str, Any]:
        return self._ended("Training", name)

    def processed(self, name: str) -> dict[str, Any]:
        return self._ended("Processing", name)

    def transformed(self, name: str) -> dict[str, Any]:
        return self._ended("Transform", name)

    def log(self, group: str, job: str) -> list[str]:
        """All lines of a job's streams."""
        logs = self.cloud.client("logs")
        try:
            events = logs.filter_log_events(
                logGroupName=f"/aws/sagemaker/{group}", logStreamNamePrefix=f"{job}/"
            )
        except logs.exceptions.ResourceNotFoundException:
            return []  # no job of this kind has written anything yet
        return [event["message"] for event in events["events"]]

    def model(self, job: Mapping[str, Any]) -> dict[str, bytes]:
        """The files of a training job's model."""
        key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(self.uri(""))
        found = {}
        with tarfile.open(fileobj=io.BytesIO(self.get(key)), mode="r:gz") as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member)
                found[member.name] = b"" if content is None else content.read()
        return found

    def until(self, holds: Callable[[], bool], seconds: float = 180.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def _program(self, name: str, script: str) -> list[str]:
        """A command that runs the script with its `/opt/ml` where the container's is."""
        path = self.folder / f"{name}.py"
        path.write_text(
            f"import os\nexec({script!r}.replace('/opt/ml', os.environ['LONGSPAN_BASE']))"
        )
        return ["python", str(path)]

    def _ended(self, title: str, name: str) -> dict[str, Any]:
        describe = getattr(self.sagemaker, f"describe_{title.lower()}_job")
        self.until(lambda: describe(**{f"{title}JobName": name})[f"{title}JobStatus"] in ENDED)
        return dict(describe(**{f"{title}JobName": name}))
