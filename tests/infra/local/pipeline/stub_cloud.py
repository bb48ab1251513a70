"""A control plane of pipelines over processing jobs that are functions, without a server.

Clients of a role reach the handlers directly; what a job does, tests decide by its step's name.
"""

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from botocore import xform_name
from botocore.exceptions import ClientError

from longspan.infra.local.control.api import ApiCall, ApiError, Document, Handler, NotFound
from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.control_plane import ControlPlane
from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.pipeline.service import Pipelines
from longspan.infra.local.runtimes.runtime import Runtime

REGION, ACCOUNT = "us-east-1", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/role"
WAIT = 180.0  # seconds after which a test gives up


class StoppedError(Exception):
    """The job was asked to stop."""


class Job:
    """What a job's function sees."""

    def __init__(self, name: str, request: Document) -> None:
        self.name = name
        self.step = name.split("-")[2]
        self.request = request
        self.stopped = threading.Event()

    def pause(self) -> None:
        """Until somebody stops it."""
        assert self.stopped.wait(WAIT), "nobody stopped this job"
        raise StoppedError

    def wait(self, gate: threading.Event) -> None:
        assert gate.wait(WAIT), "the test did not open the gate"


class StubJobs:
    """A service of processing jobs; a function that raises RuntimeError fails by its text."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._lock = threading.Lock()
        self.work: dict[str, Callable[[Job], None]] = {}
        self.refusals: list[ApiError] = []  # of the next requests to create one
        self.jobs: dict[str, Job] = {}
        self.running = 0
        self.most = 0

    def operations(self) -> Mapping[str, Handler]:
        return {
            "CreateProcessingJob": self._create,
            "DescribeProcessingJob": self._describe,
            "StopProcessingJob": self._stop,
        }

    def recover(self) -> None:
        pass

    def close(self) -> None:
        for job in self.jobs.values():
            job.stopped.set()

    def count(self) -> dict[str, int]:
        """How often each step's job was started."""
        return dict(Counter(job.step for job in self.jobs.values()))

    def _create(self, call: ApiCall) -> Document:
        if self.refusals:
            raise self.refusals.pop(0)
        name = call.request["ProcessingJobName"]
        arn = call.arn(f"processing-job/{name}")
        document = {**call.request, "ProcessingJobArn": arn, "ProcessingJobStatus": "InProgress"}
        self._documents.create(Key("processing-job", REGION, name), document)
        job = Job(name, call.request)
        with self._lock:
            self.jobs[name] = job
            self.running += 1
            self.most = max(self.most, self.running)
        threading.Thread(target=self._run, args=(job,), daemon=True).start()
        return {"ProcessingJobArn": arn}

    def _run(self, job: Job) -> None:
        status, reason = "Completed", None
        try:
            self.work.get(job.step, lambda _: None)(job)
        except StoppedError:
            status = "Stopped"
        except RuntimeError as error:
            status, reason = "Failed", str(error)
        with self._lock:
            self.running -= 1
        key = Key("processing-job", REGION, job.name)
        self._documents.change(
            key, ProcessingJobStatus=status, FailureReason=reason, ExitMessage="ended"
        )

    def _describe(self, call: ApiCall) -> Document:
        name = call.request["ProcessingJobName"]
        found = self._documents.find(Key("processing-job", REGION, name))
        if found is None:
            raise NotFound(f"Could not find processing job {name}.")
        return found

    def _stop(self, call: ApiCall) -> Document:
        self.jobs[call.request["ProcessingJobName"]].stopped.set()
        return {}


class StubClients:
    """Clients of any role; `files` are the objects on S3 by URI."""

    def __init__(self) -> None:
        self.plane: ControlPlane | None = None
        self.files: dict[str, Any] = {}

    def as_role(self, role: str, region: str, session: str) -> "StubClients":
        assert (role, region) == (ROLE, REGION)
        assert session
        return self

    def client(self, service: str) -> Any:
        return self if service == "s3" else _Direct(cast(ControlPlane, self.plane))

    def get_object(self, *, Bucket: str, Key: str) -> Document:  # noqa: N803
        uri = f"s3://{Bucket}/{Key}"
        if uri not in self.files:
            error = {"Error": {"Code": "NoSuchKey", "Message": "The key does not exist."}}
            raise ClientError(cast(Any, error), "GetObject")
        return {"Body": io.BytesIO(json.dumps(self.files[uri]).encode())}


class _Direct:
    """`create_processing_job(...)` and so on, without the way over HTTP."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def __getattr__(self, method: str) -> Callable[..., Document]:
        operation = next(o for o in self._plane.operations if xform_name(o) == method)

        def call(**request: Any) -> Document:
            try:
                return self._plane.handle(ApiCall(operation, request, REGION, ACCOUNT, ROLE))
            except ApiError as error:
                answer: Any = {
                    "Error": {"Code": error.code, "Message": str(error)},
                    "ResponseMetadata": {"HTTPStatusCode": error.status},
                }
                raise ClientError(answer, operation) from None

        return call


class StubCloud:
    """The control plane; `directory` keeps its state."""

    def __init__(self, workplace: Path, directory: Path | None = None) -> None:
        self.documents = Documents(directory)
        self.threads = Threads(self.documents)
        self.jobs = StubJobs(self.documents)
        self.clients = StubClients()
        self.clock = [1_000_000.0]
        context = Context(
            documents=self.documents,
            threads=self.threads,
            clients=cast(Clients, self.clients),
            runtime=cast(Runtime, None),
            workplace=workplace,
            now=lambda: self.clock[0],
        )
        self.plane = ControlPlane([self.jobs, Pipelines(context)])
        self.clients.plane = self.plane
        self.plane.recover()
        self._tokens = 0

    def close(self) -> None:
        self.threads.close()
        self.jobs.close()

    def call(self, operation: str, **request: Any) -> Document:
        return self.plane.handle(ApiCall(operation, request, REGION, ACCOUNT, "arn:me"))

    def token(self) -> str:
        self._tokens += 1
        return f"{self._tokens:032d}"

    def create(self, text: str, name: str = "pipe") -> str:
        """The pipeline, new or with another definition; its name."""
        token = self.token()
        key = Key("pipeline", REGION, name)
        if self.documents.find(key) is not None:
            self.call("UpdatePipeline", PipelineName=name, PipelineDefinition=text)
        else:
            self.call(
                "CreatePipeline",
                PipelineName=name,
                PipelineDefinition=text,
                RoleArn=ROLE,
                ClientRequestToken=token,
            )
        return name

    def start(self, text: str, parameters: Mapping[str, str] = {}, **members: Any) -> str:
        """An execution of a pipeline with this definition; its ARN."""
        given = [{"Name": name, "Value": value} for name, value in parameters.items()]
        request = {
            "PipelineName": self.create(text),
            "PipelineParameters": given,
            "ClientRequestToken": self.token(),
            **members,
        }
        return str(self.call("StartPipelineExecution", **request)["PipelineExecutionArn"])

    def run(self, text: str, parameters: Mapping[str, str] = {}, **members: Any) -> str:
        """Until its end."""
        arn = self.start(text, parameters, **members)
        self.ended(arn)
        return arn

    def ended(self, arn: str) -> Document:
        key = Key("pipeline-execution", REGION, arn.rsplit("/", 1)[-1])
        going = ("Executing", "Stopping")
        self.documents.wait(key, lambda d: d["PipelineExecutionStatus"] not in going, WAIT)
        found = self.call("DescribePipelineExecution", PipelineExecutionArn=arn)
        assert found["PipelineExecutionStatus"] not in going, self.steps(arn)
        return found

    def until(self, arn: str, step: str, *statuses: str) -> Document:
        """The step when it is in one of these statuses."""
        key = Key("pipeline-execution", REGION, arn.rsplit("/", 1)[-1])
        self.documents.wait(
            key, lambda d: d["_Steps"].get(step, {}).get("StepStatus") in statuses, WAIT
        )
        found: Document = self.steps(arn)[step]
        assert found["StepStatus"] in statuses, found
        return found

    def status(self, arn: str) -> str:
        found = self.call("DescribePipelineExecution", PipelineExecutionArn=arn)
        return str(found["PipelineExecutionStatus"])

    def steps(self, arn: str) -> dict[str, Document]:
        """By name, in the order in which they started."""
        answer = self.call(
            "ListPipelineExecutionSteps", PipelineExecutionArn=arn, SortOrder="Ascending"
        )
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def stop(self, arn: str) -> None:
        self.call(
            "StopPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken=self.token()
        )

    def retry(self, arn: str) -> None:
        self.call(
            "RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken=self.token()
        )
