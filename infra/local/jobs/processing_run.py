"""Run of one processing job: download inputs, run containers, upload outputs.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

import shutil
from pathlib import Path

from botocore.exceptions import ClientError

from longspan.infra.local.containers.containers import (
    CLOSED,
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
    shorten,
)
from longspan.infra.local.containers.logs import HostLogs, log_file
from longspan.infra.local.containers.own_root import OwnRoot
from longspan.infra.local.control.api import ApiError, Document
from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.control.s3_objects import Upload, files_below
from longspan.infra.local.control.threads import Signals
from longspan.infra.local.jobs.mirror import Mirror
from longspan.infra.local.jobs.processing_request import inputs, outputs
from longspan.infra.local.runtimes.runtime import Container

__all__ = ["ProcessingRun"]

_LOGS = "/aws/sagemaker/ProcessingJobs"
_MESSAGE = "output/message"
_DAY = 86_400  # default of StoppingCondition, in seconds


class ProcessingRun:
    """Run of one job in its thread; results and status go to the job's document."""

    def __init__(self, context: Context, key: Key, clients: RoleClients, job: Document) -> None:
        """`job` is the document at its creation."""
        self._context = context
        self._clients = clients
        self._job = job
        self._key = key
        self._folder = context.new_folder(key)
        self._machines = job["ProcessingResources"]["ClusterConfig"]
        self._hosts = context.runtime.host_names(self._machines["InstanceCount"])
        self._bases = [self._folder / f"algo-{number}" for number in range(1, len(self._hosts) + 1)]
        kms_key = (job.get("ProcessingOutputConfig") or {}).get("KmsKeyId")
        upload = Upload(clients.client("s3"), kms_key)
        mirrors = [(o.continuous, Mirror(o.uri, o.folder, upload)) for o in outputs(job)]
        self._continuous = [mirror for continuous, mirror in mirrors if continuous]
        self._at_end = [mirror for continuous, mirror in mirrors if not continuous]

    def run(self, signals: Signals) -> None:
        """Run the job until its status is a last one."""
        try:
            conclude(self._key, lambda: self._work(signals), lambda r: self._end("Failed", r))
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _work(self, signals: Signals) -> None:
        self._fetch()
        if signals.close.is_set():
            raise CloudClosed
        if signals.stop.is_set():
            self._end("Stopped")
            return
        self._context.documents.change(self._key, ProcessingStartTime=self._context.now())
        own_root = OwnRoot(self._context.runtime.no_root)
        ending = self._process(signals)
        if ending.cause == CLOSED:
            raise CloudClosed
        # As on AWS: continuous outputs are uploaded in any case, others after a success.
        self._upload(self._continuous)
        if ending.cause == LIMIT:
            raise JobFailure(
                f"Processing job runtime exceeded MaxRuntimeInSeconds of {self._seconds} provided"
            )
        if ending.cause == STOPPED:
            self._end("Stopped")
            return
        if ending.status:
            raise JobFailure(algorithm_error(self._messages(), ending.status))
        own_root.check_untouched()
        for mirror in (*self._continuous, *self._at_end):
            folders = [base / mirror.folder for base in self._bases]
            found = [path for folder in folders for path in files_below(folder)]
            own_root.check_output(f"/opt/ml/{mirror.folder}", empty=not found)
        self._upload(self._at_end)
        self._end("Completed")

    def _fetch(self) -> None:
        for base in self._bases:
            (base / "output").mkdir(parents=True)  # for `output/message`
            for mirror in (*self._continuous, *self._at_end):
                (base / mirror.folder).mkdir(parents=True, exist_ok=True)
        s3 = self._clients.client("s3")
        try:
            for item in inputs(self._job):
                item.fetch(s3, self._bases)
        except (ClientError, ApiError) as error:
            raise JobFailure(f"ClientError: Failed to download data: {error}") from None
        kind = self._machines["InstanceType"]
        group = {"instance_group_name": "homogeneousCluster", "instance_type": kind}
        resources = {
            "current_instance_type": kind,
            "hosts": list(self._hosts),
            "instance_groups": [{**group, "hosts": list(self._hosts)}],
        }
        for host, base in zip(self._hosts, self._bases, strict=True):
            write_config(base / "config/processingjobconfig.json", self._job)
            write_config(base / "config/resourceconfig.json", {**resources, "current_host": host})

    def _process(self, signals: Signals) -> ContainersEnd:
        logs = HostLogs(self._context, self._clients, _LOGS, self._key.name, self._bases)

        def follow() -> None:
            logs.copy()
            for mirror in self._continuous:
                mirror.upload_changes(self._bases)

        try:
            return run_containers(
                self._context.runtime, self._containers(), signals, self._seconds, follow
            )
        finally:
            # Also after an error, whose reason may stand in the last lines.
            logs.finish()

    @property
    def _seconds(self) -> int:
        return int((self._job.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", _DAY))

    def _containers(self) -> list[Container]:
        application = self._job["AppSpecification"]
        command = (
            *(application.get("ContainerEntrypoint") or ()),
            *(application.get("ContainerArguments") or ()),
        )
        isolated = bool((self._job.get("NetworkConfig") or {}).get("EnableNetworkIsolation"))
        environment = {
            **role_environment(self._clients, isolated=isolated),
            "PROCESSING_JOB_NAME": self._key.name,
            **(self._job.get("Environment") or {}),
        }
        return [
            Container(
                name=f"{self._key.name}-algo-{number}",
                image=application["ImageUri"],
                command=command,
                base=base,
                log=log_file(base),
                environment=environment,
                host=host,
            )
            for number, (host, base) in enumerate(zip(self._hosts, self._bases, strict=True), 1)
        ]

    def _upload(self, mirrors: list[Mirror]) -> None:
        try:
            for mirror in mirrors:
                mirror.finish(self._bases)
        except ClientError as error:
            raise JobFailure(f"ClientError: Failed to upload data: {error}") from None

    def _messages(self) -> list[Path]:
        return [base / _MESSAGE for base in self._bases]

    def _end(self, status: str, reason: str = "") -> None:
        """Set the last status and its details in one change, for readers that wait for it."""
        now = self._context.now()
        members = {"ProcessingJobStatus": status, "ProcessingEndTime": now, "LastModifiedTime": now}
        said = [path.read_text("utf-8", "replace") for path in self._messages() if path.is_file()]
        if said:
            members["ExitMessage"] = shorten(said[0])
        if reason:
            members["FailureReason"] = shorten(reason)
        self._context.documents.change(self._key, **members)
