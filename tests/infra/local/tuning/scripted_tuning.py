"""Tuning jobs for tests, over training jobs that are scripts in threads; and requests for them."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from longspan.infra.local.control.api import ApiCall, Document
from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.control_plane import ControlPlane
from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.runtimes.runtime import Runtime
from longspan.infra.local.tuning.service import TuningJobs

REGION = "us-east-1"
METRIC = "validation:bleu_long"
WAIT = 180.0  # seconds after which a test gives up


class StoppedError(Exception):
    """The script's training job was asked to stop."""


class Script:
    """What a training job's script sees: hyperparameters, reports, and requests to stop."""

    def __init__(self, documents: Documents, name: str, parameters: Mapping[str, str]) -> None:
        self._documents = documents
        self._key = Key("training-metrics", REGION, name)
        self.name = name
        self.parameters = parameters
        self.asked_to_stop = threading.Event()
        self.values: list[float] = []

    def report(self, value: float, metric: str = METRIC) -> None:
        if metric == METRIC:
            self.values.append(value)
        entry = {"MetricName": metric, "Value": value, "Timestamp": 0.0}
        self._documents.edit(self._key, lambda document: document["Metrics"].append(entry))

    def pause(self) -> None:
        """Until somebody stops the job."""
        assert self.asked_to_stop.wait(WAIT), "nobody stopped this training job"
        raise StoppedError

    def wait(self, gate: threading.Event) -> None:
        assert gate.wait(WAIT), "the test did not open the gate"


class ScriptedTrainingJobs:
    """The interface of TrainingJobs; what it writes is what DescribeTrainingJob would show."""

    def __init__(self, documents: Documents, script: Callable[[Script], None]) -> None:
        self._documents = documents
        self._script = script
        self._lock = threading.Lock()
        self.running = 0
        self.most = 0
        self.requests: list[Document] = []
        self.scripts: dict[str, Script] = {}
        self.stops: list[str] = []

    def start(self, call: ApiCall, *, extra: Document | None = None) -> str:
        name = call.request["TrainingJobName"]
        arn = call.arn(f"training-job/{name}")
        created = float(len(self.requests))
        self.requests.append(call.request)
        self._documents.create(Key("training-metrics", REGION, name), {"Metrics": []})
        self._documents.create(
            Key("training-job", REGION, name),
            {
                **call.request,
                **(extra or {}),
                "TrainingJobArn": arn,
                "TrainingJobStatus": "InProgress",
                "CreationTime": created,
            },
        )
        script = Script(self._documents, name, call.request["HyperParameters"])
        with self._lock:
            self.scripts[name] = script
            self.running += 1
            self.most = max(self.most, self.running)
        threading.Thread(target=self._run, args=(script, created), daemon=True).start()
        return arn

    def stop(self, region: str, name: str) -> None:
        assert region == REGION
        self.stops.append(name)
        self.scripts[name].asked_to_stop.set()

    def _run(self, script: Script, created: float) -> None:
        status, reason = "Completed", None
        try:
            self._script(script)
        except StoppedError:
            status = "Stopped"
        except RuntimeError as error:
            status, reason = "Failed", f"AlgorithmError: {error}"
        last = script.values[-1:]
        with self._lock:
            self.running -= 1
        self._documents.change(
            Key("training-job", REGION, script.name),
            TrainingJobStatus=status,
            FailureReason=reason,
            TrainingEndTime=created + 1,
            FinalMetricDataList=[{"MetricName": METRIC, "Value": v, "Timestamp": 0} for v in last],
        )


class ScriptedTuning:
    """A control plane with tuning jobs over a script."""

    def __init__(self, workplace: Path, script: Callable[[Script], None]) -> None:
        self.documents = Documents()
        self.training = ScriptedTrainingJobs(self.documents, script)
        self.threads = Threads(self.documents)
        self.clock = [1000.0]
        context = Context(
            documents=self.documents,
            threads=self.threads,
            clients=cast(Clients, None),
            runtime=cast(Runtime, None),
            workplace=workplace,
            now=lambda: self.clock[0],
        )
        self.jobs = TuningJobs(context, self.training)
        self.plane = ControlPlane([self.jobs])

    def call(self, operation: str, **request: Any) -> Document:
        return self.plane.handle(ApiCall(operation, request, REGION, "123456789012", "arn:me"))

    def describe(self, name: str = "tune") -> Document:
        return self.call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)

    def training_jobs(self, name: str = "tune", **request: Any) -> list[Document]:
        answer = self.call(
            "ListTrainingJobsForHyperParameterTuningJob",
            **{"HyperParameterTuningJobName": name, "MaxResults": 100, **request},
        )
        return cast(list[Document], answer["TrainingJobSummaries"])

    def until(self, *statuses: str, name: str = "tune") -> Document:
        key = Key("tuning-job", REGION, name)
        self.documents.wait(key, lambda d: d["HyperParameterTuningJobStatus"] in statuses, WAIT)
        found = self.describe(name)
        assert found["HyperParameterTuningJobStatus"] in statuses, found
        return found

    def run(self, request: Document) -> Document:
        self.call("CreateHyperParameterTuningJob", **request)
        name = request["HyperParameterTuningJobName"]
        return self.until("Completed", "Failed", "Stopped", name=name)


def definition() -> Document:
    return {
        "StaticHyperParameters": {"epochs": "3"},
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": METRIC, "Regex": "validation:bleu_long=(.*)"}],
        },
        "RoleArn": "arn:aws:iam::123456789012:role/longspan-local",
        "InputDataConfig": [
            {
                "ChannelName": "prepared",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def tuning(
    name: str = "tune",
    strategy: str = "Random",
    goal: str = "Maximize",
    jobs: int | None = 6,
    parallel: int = 2,
    **config: Any,
) -> Document:
    limits = {"MaxParallelTrainingJobs": parallel}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": goal, "MetricName": METRIC},
            "ResourceLimits": {**limits, **({"MaxNumberOfTrainingJobs": jobs} if jobs else {})},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]
            },
            "RandomSeed": 1,
            **config,
        },
        "TrainingJobDefinition": definition(),
    }


def x_of(script: Script) -> float:
    return float(script.parameters["x"])


def peak(script: Script) -> None:
    """Best at x = 0.7; the last report counts, not the highest."""
    script.report(5.0)
    script.report(-abs(x_of(script) - 0.7))


def fail(script: Script) -> None:
    raise RuntimeError("no such channel")
