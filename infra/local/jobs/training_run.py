"""Run of one training job: download data, run containers, upload the model.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from longspan.infra.local.containers.containers import (
    CLOSED,
    ENDED,
    LIMIT,
    STOPPED,
    ContainersEnd,
    role_environment,
    run_containers,
    write_config,
)
from longspan.infra.local.containers.failures import (
    CloudClosed,
    JobFailure,
    algorithm_error,
    conclude,
)
from longspan.infra.local.containers.logs import HostLogs, log_file
from longspan.infra.local.containers.own_root import OwnRoot
from longspan.infra.local.control.api import ApiError, Document
from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.control.s3_objects import Upload
from longspan.infra.local.control.threads import Signals
from longspan.infra.local.jobs.metrics import JobMetrics
from longspan.infra.local.jobs.mirror import Mirror
from longspan.infra.local.jobs.scraper import Scraper
from longspan.infra.local.jobs.training_request import channels
from longspan.infra.local.jobs.training_status import TrainingStatus
from longspan.infra.local.runtimes.runtime import Container

__all__ = ["TrainingRun"]

_LOGS = "/aws/sagemaker/TrainingJobs"
_CHECKPOINTS = "/opt/ml/checkpoints"
_DAY = 86_400  # default of StoppingCondition, in seconds


class TrainingRun:
    """Run of one job in its thread; results and status go to the job's document."""

    def __init__(self, context: Context, key: Key, clients: RoleClients, job: Document) -> None:
        """`job` is the document at its creation."""
        self._context = context
        self._clients = clients
        self._job = job
        self._key = key
        self._status = TrainingStatus(context, key)
        self._metrics = JobMetrics(
            context.documents, clients.client("cloudwatch"), key, context.now
        )
        self._scraper = Scraper(job["AlgorithmSpecification"].get("MetricDefinitions") or ())
        self._folder = context.new_folder(key)
        self._hosts = context.runtime.host_names(job["ResourceConfig"]["InstanceCount"])
        self._bases = [self._folder / f"algo-{number}" for number in range(1, len(self._hosts) + 1)]
        stopping = job.get("StoppingCondition") or {}
        self._seconds: int = stopping.get("MaxRuntimeInSeconds", _DAY)
        self._checkpoints = self._mirror_checkpoints()

    def run(self, signals: Signals) -> None:
        """Run the job until its status is a last one."""
        try:
            conclude(self._key, lambda: self._work(signals), self._fail)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _fail(self, reason: str) -> None:
        self._end("Failed", "Failed", reason=reason)

    def _work(self, signals: Signals) -> None:
        self._status.enter("Downloading", "Downloading input data")
        self._fetch()
        if signals.ending:
            self._stopped_early(signals)
            return
        self._status.enter("Training", "Training image download completed. Training in progress.")
        self._status.train()
        own_root = OwnRoot(self._context.runtime.no_root)
        try:
            ending = self._train(signals)
        finally:
            self._status.trained()
        if ending.cause == CLOSED:
            raise CloudClosed
        self._status.enter("Uploading", "Uploading generated training model")
        # As on AWS: data of a failed job are uploaded, its model is not. A job that was stopped or
        # reached its time limit keeps its model.
        try:
            self._upload_data()
            if ending.cause == ENDED and ending.status:
                failures = [base / "output/failure" for base in self._bases]
                raise JobFailure(algorithm_error(failures, ending.status))
            own_root.check_untouched()
            artifacts = self._upload_model()
        except ClientError as error:
            raise JobFailure(f"ClientError: Artifact upload failed: {error}") from None
        self._finish(ending, artifacts)

    def _fetch(self) -> None:
        s3 = self._clients.client("s3")
        for base in self._bases:
            # Folders that a program may expect by SageMaker's container contract.
            for folder in ("input/config", "input/data", "model", "output/data", "checkpoints"):
                (base / folder).mkdir(parents=True)
        try:
            for channel in channels(self._job):
                channel.data.fetch(s3, self._bases)
            if self._checkpoints is not None:
                self._checkpoints.fetch(self._bases)
        except (ClientError, ApiError) as error:
            raise JobFailure(f"ClientError: Data download failed: {error}") from None
        self._write_config()

    def _write_config(self) -> None:
        kind = self._job["ResourceConfig"]["InstanceType"]
        group = {"instance_group_name": "homogeneousCluster", "instance_type": kind}
        resources = {
            "current_instance_type": kind,
            "current_group_name": "homogeneousCluster",
            "hosts": list(self._hosts),
            "instance_groups": [{**group, "hosts": list(self._hosts)}],
            # Addresses 127.* of local processes belong to the loopback interface.
            "network_interface_name": "lo" if self._hosts[0].startswith("127.") else "eth0",
        }
        inputs = {channel.name: channel.config for channel in channels(self._job)}
        for host, base in zip(self._hosts, self._bases, strict=True):
            config = base / "input/config"
            write_config(config / "hyperparameters.json", self._job.get("HyperParameters") or {})
            write_config(config / "resourceconfig.json", {**resources, "current_host": host})
            write_config(config / "inputdataconfig.json", inputs)

    def _train(self, signals: Signals) -> ContainersEnd:
        logs = HostLogs(self._context, self._clients, _LOGS, self._key.name, self._bases)

        def follow() -> None:
            self._scraper.feed(logs.copy())
            self._metrics.add(self._scraper.found())
            if self._checkpoints is not None:
                self._checkpoints.upload_changes(self._bases)

        try:
            return run_containers(
                self._context.runtime, self._containers(), signals, self._seconds, follow
            )
        finally:
            # The last lines may hold the final metrics, also those of a container that failed.
            self._scraper.feed(logs.finish())
            self._metrics.add(self._scraper.finish(signals.close))

    def _containers(self) -> list[Container]:
        algorithm = self._job["AlgorithmSpecification"]
        given = [
            *(algorithm.get("ContainerEntrypoint") or ()),
            *(algorithm.get("ContainerArguments") or ()),
        ]
        isolated = bool(self._job.get("EnableNetworkIsolation"))
        environment = {
            **role_environment(self._clients, isolated=isolated),
            "TRAINING_JOB_NAME": self._key.name,
            "TRAINING_JOB_ARN": self._job["TrainingJobArn"],
            **(self._job.get("Environment") or {}),
        }
        return [
            Container(
                name=f"{self._key.name}-algo-{number}",
                image=algorithm["TrainingImage"],
                command=tuple(given) or ("train",),
                base=base,
                log=log_file(base),
                environment=environment,
                host=host,
            )
            for number, (host, base) in enumerate(zip(self._hosts, self._bases, strict=True), 1)
        ]

    def _upload(self) -> Upload:
        key = (self._job.get("OutputDataConfig") or {}).get("KmsKeyId") or None
        return Upload(self._clients.client("s3"), key)

    def _mirror_checkpoints(self) -> Mirror | None:
        config = self._job.get("CheckpointConfig")
        if not config:
            return None
        folder = config.get("LocalPath", _CHECKPOINTS).removeprefix("/opt/ml").strip("/")
        return Mirror(config["S3Uri"], folder, self._upload(), remove=True)

    @property
    def _place(self) -> str:
        output = self._job["OutputDataConfig"]["S3OutputPath"]
        return f"{output.rstrip('/')}/{self._key.name}/output"

    def _upload_data(self) -> None:
        """Upload checkpoints and the files in `output/data`, also of a job that failed."""
        if self._checkpoints is not None:
            self._checkpoints.finish(self._bases)
        folders = [base / "output/data" for base in self._bases]
        if any(_files(folders)):
            scratch = self._folder / "output.tar.gz"
            self._upload().archive(folders, f"{self._place}/output.tar.gz", scratch)

    def _upload_model(self) -> str:
        """Upload the model; return its URI."""
        upload = self._upload()
        models = [base / "model" for base in self._bases]
        if self._job["OutputDataConfig"].get("CompressionType") != "NONE":
            scratch = self._folder / "model.tar.gz"
            return upload.archive(models, f"{self._place}/model.tar.gz", scratch)
        for model in reversed(models):  # the first host's files overwrite those of the others
            upload.files(model, f"{self._place}/model")
        return f"{self._place}/model/"

    def _finish(self, ending: ContainersEnd, artifacts: str) -> None:
        results: dict[str, Any] = {"ModelArtifacts": {"S3ModelArtifacts": artifacts}}
        if ending.cause == LIMIT:
            reason = (
                f"Training job runtime exceeded MaxRuntimeInSeconds of {self._seconds} provided"
            )
            self._end("Failed", "MaxRuntimeExceeded", reason=reason, **results)
        elif ending.cause == STOPPED:
            self._end("Stopped", "Stopped", **results)
        else:
            self._end("Completed", "Completed", **results)

    def _stopped_early(self, signals: Signals) -> None:
        if signals.close.is_set():
            raise CloudClosed
        self._end("Stopped", "Stopped")

    def _end(self, status: str, secondary: str, reason: str = "", **members: Any) -> None:
        final = self._metrics.final()
        if final:
            members["FinalMetricDataList"] = final
        self._status.end(status, secondary, reason, members)


def _files(folders: Iterable[Path]) -> Iterable[Path]:
    return (path for folder in folders for path in folder.rglob("*") if path.is_file())
