"""Run of one transform job: serve a model, and send it every input object.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

import gzip
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from botocore.exceptions import ClientError

from longspan.infra.local.containers.containers import role_environment
from longspan.infra.local.containers.failures import (
    CloudClosed,
    JobFailure,
    ServingClosed,
    ServingFailure,
    conclude,
    shorten,
)
from longspan.infra.local.containers.logs import HostLogs, log_file
from longspan.infra.local.containers.model_server import (
    InvocationTimeout,
    ModelServer,
    NotServing,
    Reply,
)
from longspan.infra.local.control.api import ApiError, Document
from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.control.s3_objects import S3Object, Upload
from longspan.infra.local.control.threads import Signals
from longspan.infra.local.jobs.transform_request import Batches
from longspan.infra.local.models.container import ModelContainer
from longspan.infra.local.runtimes.runtime import Container

__all__ = ["TransformRun"]

_LOGS = "/aws/sagemaker/TransformJobs"
_STARTUP_SECONDS = 240.0
_PAUSE = 1.0  # seconds before a retry


class _Stopped(Exception):
    """The job must stop: its user or the end of the cloud asked for it."""


class TransformRun:
    """Run of one job in its thread; results and status go to the job's document."""

    def __init__(
        self,
        context: Context,
        key: Key,
        clients: RoleClients,
        job: Document,
        model: ModelContainer,
    ) -> None:
        """`job` is the document at its creation."""
        self._context = context
        self._clients = clients
        self._job = job
        self._key = key
        self._model = model
        self._batches = Batches.parse(job)
        self._folder = context.new_folder(key)
        self._logs = HostLogs(context, clients, _LOGS, key.name, [self._folder])

    def run(self, signals: Signals) -> None:
        """Run the job until its status is a last one."""
        try:
            conclude(self._key, lambda: self._work(signals), lambda r: self._end("Failed", r))
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _work(self, signals: Signals) -> None:
        try:
            with self._serving(signals) as server:
                now = self._context.now()
                self._context.documents.change(self._key, TransformStartTime=now)
                for item in self._objects():
                    self._transform(server, item, signals)
        # A stop while the model starts is ServingClosed too, by the `signals.ending` given to it.
        except (_Stopped, ServingClosed):
            if signals.close.is_set():
                raise CloudClosed from None
            self._end("Stopped")
            return
        self._end("Completed")

    @contextmanager
    def _serving(self, signals: Signals) -> Iterator[ModelServer]:
        """Start the model's container, healthy inside the block, and stop it at the end."""
        self._folder.mkdir(parents=True)
        server = ModelServer(
            self._context.runtime, self._container(), self._logs.copy, self._batches.seconds
        )
        try:
            if self._model.data is not None:
                self._model.data.fetch(self._clients, self._folder / "model")
            server.start(_STARTUP_SECONDS, lambda: signals.ending)
        except ServingFailure as failure:
            raise JobFailure(f"ClientError: {failure}") from None
        try:
            yield server
        finally:
            server.stop()
            self._logs.finish()

    def _container(self) -> Container:
        environment = {
            **role_environment(self._clients, isolated=self._model.isolated),
            **self._model.environment,
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(self._batches.payload // 1_000_000),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(self._batches.concurrent),
            **(self._job.get("Environment") or {}),
        }
        return Container(
            name=self._key.name,
            image=self._model.image,
            command=("serve",),
            base=self._folder,
            log=log_file(self._folder),
            environment=environment,
        )

    def _objects(self) -> list[S3Object]:
        try:
            return self._batches.data.objects(self._clients.client("s3"))
        except (ClientError, ApiError) as error:
            raise JobFailure(f"ClientError: Failed to list the input: {error}") from None

    def _transform(self, server: ModelServer, item: S3Object, signals: Signals) -> None:
        """Transform one object to `<output>/<path>.out`."""
        name = f"s3://{item.bucket}/{item.key}"
        s3 = self._clients.client("s3")
        content = s3.get_object(Bucket=item.bucket, Key=item.key)["Body"].read()
        try:
            if self._batches.data.gunzip:
                content = gzip.decompress(content)
            payloads = list(self._batches.payloads(content))
        except (OSError, EOFError, ApiError) as error:
            raise JobFailure(f"ClientError: {name}: {error}") from None

        def ask(body: bytes) -> bytes:
            return self._ask(server, body, name, signals)

        with ThreadPoolExecutor(self._batches.concurrent) as pool:
            # In the order of the payloads, whichever response arrives first.
            answers = list(pool.map(ask, payloads))
        result = self._folder / "result"
        result.write_bytes(self._batches.assemble(answers))
        Upload(s3, self._batches.kms_key).file(result, f"{self._batches.output}/{item.path}.out")

    def _ask(self, server: ModelServer, body: bytes, name: str, signals: Signals) -> bytes:
        headers = {"Content-Type": self._batches.content_type, "Accept": self._batches.accept}
        reason = ""
        for attempt in range(self._batches.retries + 1):
            if signals.ending:
                raise _Stopped
            if attempt:
                time.sleep(_PAUSE)
            try:
                reply = server.ask(body, headers)
            except NotServing:
                reason = "the model did not answer"
            except InvocationTimeout:
                reason = f"no answer within {self._batches.seconds:.0f} seconds"
            else:
                if reply.status < 400:
                    return reply.body
                reason = _said(reply)
                if reply.status < 500 and reply.status != 429:
                    break  # a retry would give the same error
        raise JobFailure(
            f"ClientError: {name}: {reason}. See job logs for more information ({_LOGS})"
        )

    def _end(self, status: str, reason: str = "") -> None:
        """Set the last status and its details in one change, for readers that wait for it."""
        now = self._context.now()
        members = {"TransformJobStatus": status, "TransformEndTime": now}
        if reason:
            members["FailureReason"] = shorten(reason)
        self._context.documents.change(self._key, **members)


def _said(reply: Reply) -> str:
    said = reply.body.decode("utf-8", "replace").strip()
    return f"Bad HTTP status received from algorithm: {reply.status}: {said}"
