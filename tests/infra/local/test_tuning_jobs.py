"""Tuning jobs over training jobs that are scripts in threads, behind the real control plane."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from longspan.infra.local.account import create_account
from longspan.infra.local.api import ApiError, Call, Document
from longspan.infra.local.clients import Clients
from longspan.infra.local.context import Context
from longspan.infra.local.control_plane import ControlPlane
from longspan.infra.local.documents import Documents, Key
from longspan.infra.local.moto_server import MotoServer
from longspan.infra.local.process_runtime import ProcessRuntime
from longspan.infra.local.runtime import Container, Running, Runtime
from longspan.infra.local.training_jobs import training_jobs
from longspan.infra.local.tuning.stopping import Curve, Hyperband
from longspan.infra.local.tuning_jobs import TuningJobs
from longspan.pipelines import sdk

with sdk.quiet():
    from sagemaker.core.helper.session_helper import Session

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

    def start(self, call: Call, *, extra: Document | None = None) -> str:
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


class Bench:
    """A control plane with tuning jobs over a script."""

    def __init__(self, workplace: Path, script: Callable[[Script], None]) -> None:
        self.documents = Documents()
        self.training = ScriptedTrainingJobs(self.documents, script)
        self.clock = [1000.0]
        context = Context(
            documents=self.documents,
            clients=cast(Clients, None),
            runtime=cast(Runtime, None),
            workplace=workplace,
            now=lambda: self.clock[0],
        )
        self.jobs = TuningJobs(context, self.training)
        self.plane = ControlPlane([self.jobs])

    def call(self, operation: str, **request: Any) -> Document:
        return self.plane.handle(Call(operation, request, REGION, "123456789012", "arn:me"))

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


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[[Callable[[Script], None]], Bench]]:
    made: list[Bench] = []

    def make(script: Callable[[Script], None]) -> Bench:
        made.append(Bench(tmp_path, script))
        return made[-1]

    yield make
    for one in made:
        one.plane.close()


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


def test_training_jobs_get_names_hyperparameters_and_tags(bench: Any) -> None:
    one = bench(peak)
    request = {**tuning(jobs=3), "Tags": [{"Key": "team", "Value": "blue"}]}
    request["TrainingJobDefinition"]["CheckpointConfig"] = {"S3Uri": "s3://b/checkpoints/"}
    one.run(request)
    names = [request["TrainingJobName"] for request in one.training.requests]
    assert [name[: len("tune-001-")] for name in names] == ["tune-001-", "tune-002-", "tune-003-"]
    for name, started in zip(names, one.training.requests, strict=True):
        suffix = name.removeprefix(name[: len("tune-001-")])
        assert len(suffix) == 8
        assert int(suffix, 16) >= 0
        parameters = started["HyperParameters"]
        assert parameters["epochs"] == "3"
        assert 0 <= float(parameters["x"]) <= 1
        assert parameters["_tuning_objective_metric"] == METRIC
        assert set(parameters) == {"epochs", "x", "_tuning_objective_metric"}
        assert started["Tags"] == [{"Key": "team", "Value": "blue"}]
        assert started["CheckpointConfig"]["S3Uri"] == f"s3://b/checkpoints/{name}"
        job = one.documents.get(Key("training-job", REGION, name))
        assert job["TuningJobArn"] == one.describe()["HyperParameterTuningJobArn"]
        assert job["TunedHyperParameters"] == {"x": parameters["x"]}


def test_as_many_jobs_run_at_a_time_as_asked_and_no_more(bench: Any) -> None:
    full, opened = threading.Semaphore(0), threading.Event()

    def wait(script: Script) -> None:
        full.release()
        script.wait(opened)
        script.report(1.0)

    one = bench(wait)
    one.call("CreateHyperParameterTuningJob", **tuning(jobs=7, parallel=3))
    for _ in range(3):
        assert full.acquire(timeout=WAIT)
    counters = one.describe()["TrainingJobStatusCounters"]
    assert counters == {
        "Completed": 0,
        "InProgress": 3,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    opened.set()
    done = one.until("Completed")
    assert done["TrainingJobStatusCounters"]["Completed"] == 7
    assert one.training.most == 3


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
@pytest.mark.parametrize("goal", ["Maximize", "Minimize"])
def test_the_best_job_is_the_best_last_value(bench: Any, strategy: str, goal: str) -> None:
    one = bench(peak)
    done = one.run(tuning(strategy=strategy, goal=goal, jobs=8))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    found = {
        r["TrainingJobName"]: -abs(float(r["HyperParameters"]["x"]) - 0.7)
        for r in one.training.requests
    }
    assert len(set(found.values())) == 8
    best = (max if goal == "Maximize" else min)(found, key=lambda name: found[name])
    assert done["BestTrainingJob"]["TrainingJobName"] == best
    assert done["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": goal,
        "MetricName": METRIC,
        "Value": found[best],
    }
    assert done["BestTrainingJob"]["ObjectiveStatus"] == "Succeeded"
    assert done["ObjectiveStatusCounters"] == {"Succeeded": 8, "Pending": 0, "Failed": 0}


def test_a_seed_gives_the_same_points(bench: Any) -> None:
    def points(name: str, seed: int) -> list[str]:
        one = bench(peak)
        one.run(tuning(name, "Bayesian", jobs=8, parallel=1, RandomSeed=seed))
        return [request["HyperParameters"]["x"] for request in one.training.requests]

    assert points("a", 3) == points("b", 3) != points("a", 4)


def test_a_grid_ends_when_every_point_was_tried(bench: Any) -> None:
    one = bench(lambda script: script.report(len(script.parameters["b"])))
    ranges = [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "yy", "zzz"]}]
    request = tuning(
        strategy="Grid", jobs=None, ParameterRanges={"CategoricalParameterRanges": ranges}
    )
    done = one.run(request)
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    tried = [(r["HyperParameters"]["a"], r["HyperParameters"]["b"]) for r in one.training.requests]
    assert sorted(tried) == [(a, b) for a in "12" for b in ("x", "yy", "zzz")]
    assert done["BestTrainingJob"]["TunedHyperParameters"]["b"] == "zzz"


def test_a_search_of_a_finite_space_ends_with_it(bench: Any) -> None:
    one = bench(peak)
    ranges = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["0", "0.5", "0.9"]}]}
    done = one.run(tuning(jobs=9, ParameterRanges=ranges))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert sorted(r["HyperParameters"]["x"] for r in one.training.requests) == ["0", "0.5", "0.9"]


def test_stop_stops_the_training_jobs(bench: Any) -> None:
    started = threading.Semaphore(0)
    release = threading.Event()

    def stay(script: Script) -> None:
        script.report(1.0)
        started.release()
        try:
            script.pause()
        finally:
            script.wait(release)

    one = bench(stay)
    one.call("CreateHyperParameterTuningJob", **tuning())
    for _ in range(2):
        assert started.acquire(timeout=WAIT)
    assert one.describe()["HyperParameterTuningJobStatus"] == "InProgress"
    one.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="tune")
    assert one.describe()["HyperParameterTuningJobStatus"] == "Stopping"
    with pytest.raises(ApiError, match="is in status Stopping"):
        one.call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="tune")
    release.set()
    done = one.until("Stopped")
    assert done["TrainingJobStatusCounters"]["Stopped"] == 2
    assert len(one.training.requests) == 2
    assert done["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 1.0
    with pytest.raises(ApiError, match="is in status Stopped"):
        one.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="tune")


def fail(script: Script) -> None:
    raise RuntimeError("no such channel")


def silent(script: Script) -> None:
    script.report(1.0, metric="another")


@pytest.mark.parametrize(
    ("script", "jobs", "reason"),
    [
        (fail, 3, "All training jobs failed."),
        (fail, 20, "No training job succeeded after 5 attempts."),
        (silent, 20, "No objective metrics found after running 5 training jobs."),
        (silent, 2, "No objective metrics found after running 2 training jobs."),
    ],
)
def test_without_any_success_the_tuning_job_fails(
    bench: Any, script: Callable[[Script], None], jobs: int, reason: str
) -> None:
    one = bench(script)
    done = one.run(tuning(jobs=jobs, parallel=1))
    assert done["HyperParameterTuningJobStatus"] == "Failed"
    assert done["FailureReason"].startswith(reason)
    assert len(one.training.requests) == min(jobs, 5)
    assert "BestTrainingJob" not in done
    assert done["ObjectiveStatusCounters"]["Failed"] == min(jobs, 5)


def test_some_failures_do_not_hurt(bench: Any) -> None:
    one = bench(lambda script: peak(script) if x_of(script) > 0.5 else fail(script))
    done = one.run(tuning(jobs=12))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    xs = [float(r["HyperParameters"]["x"]) for r in one.training.requests]
    failed = sum(x <= 0.5 for x in xs)
    assert 0 < failed < 12
    assert done["TrainingJobStatusCounters"]["NonRetryableError"] == failed
    assert done["ObjectiveStatusCounters"]["Failed"] == failed
    failures = one.training_jobs(StatusEquals="Failed")
    assert {job["FailureReason"] for job in failures} == {"AlgorithmError: no such channel"}


def test_a_training_job_that_cannot_start_fails_the_tuning_job(bench: Any) -> None:
    one = bench(lambda script: script.pause())
    first = one.training.start

    def start(call: Call, *, extra: Document | None = None) -> str:
        if one.training.requests:
            raise ApiError("the quota is used up")
        return str(first(call, extra=extra))

    one.training.start = start
    done = one.run(tuning())
    assert done["HyperParameterTuningJobStatus"] == "Failed"
    assert done["FailureReason"] == "the quota is used up"
    assert done["TrainingJobStatusCounters"]["Stopped"] == 1


def test_a_target_ends_the_tuning_job_and_what_runs(bench: Any) -> None:
    first = threading.Event()

    def script(script: Script) -> None:
        if script.name.startswith("tune-001"):
            script.wait(first)
            script.report(0.95)
        else:
            first.set()
            script.report(0.99)
            script.pause()

    one = bench(script)
    done = one.run(tuning(TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.95}))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert len(one.training.requests) == 2
    assert done["TrainingJobStatusCounters"]["Stopped"] == 1


def test_without_improvement_the_tuning_job_ends(bench: Any) -> None:
    one = bench(lambda script: script.report(1.0))
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 4}}
    done = one.run(tuning(jobs=50, parallel=1, TuningJobCompletionCriteria=criteria))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert len(one.training.requests) == 5
    details = done["TuningJobCompletionDetails"]
    assert details["NumberOfTrainingJobsObjectiveNotImproving"] == 4


def test_past_its_time_the_tuning_job_ends(bench: Any) -> None:
    one = bench(lambda script: None)

    def script(script: Script) -> None:
        script.report(1.0)
        one.clock[0] += 130.0

    one.training._script = script
    request = tuning(jobs=50, parallel=1)
    limits = request["HyperParameterTuningJobConfig"]["ResourceLimits"]
    limits["MaxRuntimeInSeconds"] = 300
    done = one.run(request)
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert len(one.training.requests) == 3
    assert done["ConsumedResources"] == {"RuntimeInSeconds": 390}


def test_early_stopping_stops_what_is_below_the_median(bench: Any) -> None:
    def script(script: Script) -> None:
        number = int(script.name.split("-")[1])
        if number <= 3:  # averages after two reports: 1.5, 2.5, 3.5
            script.report(number)
            script.report(number + 1)
        elif number == 4:
            script.report(4.0)
            script.report(2.4)
            script.pause()
        else:
            script.report(2.0)
            script.report(2.5)

    one = bench(script)
    done = one.run(tuning(jobs=5, parallel=1, TrainingJobEarlyStoppingType="Auto"))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    statuses = [job["TrainingJobStatus"] for job in one.training_jobs()]
    assert statuses == ["Completed", "Completed", "Completed", "Stopped", "Completed"]
    stopped = one.training_jobs(StatusEquals="Stopped")[0]
    assert stopped["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 2.4


def test_hyperband_stops_jobs_at_its_rungs_and_all_at_the_maximum(bench: Any) -> None:
    rule = Hyperband("Maximize", 1, 9)
    curves: list[Curve] = []

    def script(script: Script) -> None:
        number = len(curves)
        for step in range(1, 10):
            script.report(x_of(script) + step / 1000)
            own = Curve(number, tuple(script.values))
            if rule.stops(own, step, curves):
                curves.append(own)
                script.pause()
            # A stop that the rule does not ask for would come within this time.
            assert not script.asked_to_stop.wait(0.02)
        raise AssertionError("the job was not stopped at the maximum")

    one = bench(script)
    config = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
    done = one.run(tuning(strategy="Hyperband", jobs=12, parallel=1, StrategyConfig=config))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert done["TrainingJobStatusCounters"]["Stopped"] == 12
    lengths = [len(curve.values) for curve in curves]
    assert set(lengths) == {1, 3, 9}
    best = max(curves, key=lambda curve: curve.values[-1])
    number = int(done["BestTrainingJob"]["TrainingJobName"].split("-")[1])
    assert number - 1 == best.number


def test_warm_start_learns_and_shows_the_overall_best(bench: Any) -> None:
    one = bench(peak)
    parent = one.run(tuning("parent", "Bayesian", jobs=20, parallel=1))
    child = tuning("child", "Bayesian", jobs=3, parallel=1, RandomSeed=5)
    child["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    done = one.run(child)
    cold = one.run(tuning("cold", "Bayesian", jobs=3, parallel=1, RandomSeed=5))
    assert "OverallBestTrainingJob" not in cold

    def xs(name: str) -> list[float]:
        jobs = one.training_jobs(name)
        return [float(job["TunedHyperParameters"]["x"]) for job in jobs]

    assert xs("child") != xs("cold"), "the child has learnt nothing"
    assert sum(abs(x - 0.7) for x in xs("child")) < sum(abs(x - 0.7) for x in xs("cold"))
    candidates = [parent["BestTrainingJob"], done["BestTrainingJob"]]
    value = "FinalHyperParameterTuningJobObjectiveMetric"
    best = max(candidates, key=lambda job: job[value]["Value"])
    overall = done["OverallBestTrainingJob"]
    assert overall["TrainingJobName"] == best["TrainingJobName"]
    assert overall["TuningJobName"] == best["TrainingJobName"].split("-")[0]


def test_transfer_learning_begins_with_the_parents_best_points(bench: Any) -> None:
    one = bench(peak)
    parent = one.run(tuning("parent", "Random", jobs=8))
    child = tuning("child", "Bayesian", jobs=4, parallel=1)
    child["TrainingJobDefinition"]["AlgorithmSpecification"]["TrainingImage"] = "another"
    child["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "TransferLearning",
    }
    one.run(child)
    first = one.training_jobs("child")[0]
    assert first["TunedHyperParameters"] == parent["BestTrainingJob"]["TunedHyperParameters"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r["TrainingJobDefinition"]["AlgorithmSpecification"].update(
            TrainingImage="another"), "training image and input data"),
        (lambda r: r["TrainingJobDefinition"]["StaticHyperParameters"].update(more="1"),
         "total number of static and tunable"),
        (lambda r: r["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"].update(
            Type="Minimize"), "objective metric must be the same"),
        (lambda r: r["WarmStartConfig"]["ParentHyperParameterTuningJobs"].append(
            {"HyperParameterTuningJobName": "nobody"}), "nobody does not exist"),
    ],
)  # fmt: skip
def test_a_parent_that_does_not_fit_is_refused(
    bench: Any, change: Callable[[Document], object], message: str
) -> None:
    one = bench(peak)
    one.run(tuning("parent", jobs=1))
    child = tuning("child")
    child["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    change(child)
    with pytest.raises(ApiError, match=message):
        one.call("CreateHyperParameterTuningJob", **child)


def test_several_definitions_take_turns(bench: Any) -> None:
    one = bench(lambda script: script.report(float(script.parameters.get("y", -1.0))))
    request = tuning(jobs=4)
    config = request["HyperParameterTuningJobConfig"]
    objective = config.pop("HyperParameterTuningJobObjective")
    del config["ParameterRanges"]
    request["TrainingJobDefinitions"] = [
        {
            **request["TrainingJobDefinition"],
            "DefinitionName": name,
            "TuningObjective": objective,
            "HyperParameterRanges": {
                "IntegerParameterRanges": [{"Name": name, "MinValue": "1", "MaxValue": "9"}]
            },
        }
        for name in ("x", "y")
    ]
    del request["TrainingJobDefinition"]
    done = one.run(request)
    jobs = one.training_jobs(SortBy="CreationTime")
    assert [job["TrainingJobDefinitionName"] for job in jobs] == ["x", "y", "x", "y"]
    assert [set(job["TunedHyperParameters"]) for job in jobs] == [{"x"}, {"y"}, {"x"}, {"y"}]
    assert done["BestTrainingJob"]["TrainingJobDefinitionName"] == "y"


def test_lists_sort_filter_and_page(bench: Any) -> None:
    def script(script: Script) -> None:
        if x_of(script) < 0.3:
            fail(script)
        peak(script)

    one = bench(script)
    for name in ("alpha", "beta", "gamma"):
        one.clock[0] += 10
        one.run(tuning(name, jobs=8))
    listed = one.call("ListHyperParameterTuningJobs", MaxResults=2)
    names = [
        job["HyperParameterTuningJobName"] for job in listed["HyperParameterTuningJobSummaries"]
    ]
    assert names == ["gamma", "beta"]
    rest = one.call("ListHyperParameterTuningJobs", MaxResults=2, NextToken=listed["NextToken"])
    names = [job["HyperParameterTuningJobName"] for job in rest["HyperParameterTuningJobSummaries"]]
    assert names == ["alpha"]
    assert "NextToken" not in rest
    assert rest["HyperParameterTuningJobSummaries"][0]["Strategy"] == "Random"
    found = one.call("ListHyperParameterTuningJobs", NameContains="et", StatusEquals="Completed")
    assert len(found["HyperParameterTuningJobSummaries"]) == 1
    by_value = one.training_jobs("beta", SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    values = [job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in by_value]
    assert values == sorted(values, reverse=True)
    failed = one.training_jobs("beta", StatusEquals="Failed")
    assert len(failed) == 8 - len(values) > 0, "jobs without an objective are left out"
    by_name = [job["TrainingJobName"] for job in one.training_jobs("beta")]
    assert by_name == sorted(by_name)
    assert len(by_name) == 8


def test_a_name_is_taken_until_the_job_is_deleted(bench: Any) -> None:
    one = bench(peak)
    arn = one.run(tuning(jobs=1))["HyperParameterTuningJobArn"]
    with pytest.raises(ApiError, match="already exists") as refused:
        one.call("CreateHyperParameterTuningJob", **tuning())
    assert refused.value.code == "ResourceInUse"
    assert arn in str(refused.value)
    one.call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="tune")
    with pytest.raises(ApiError) as missing:
        one.describe()
    assert missing.value.code == "ResourceNotFound"
    assert len(one.documents.of("training-job")) == 1, "training jobs stay"
    one.run(tuning(jobs=2))
    assert len(one.training_jobs()) == 2


def test_after_a_crash_what_ran_has_failed(bench: Any) -> None:
    one = bench(peak)
    one.run(tuning("done", jobs=1))
    one.run(tuning("ran", jobs=1))
    key = Key("tuning-job", REGION, "ran")
    one.documents.change(key, HyperParameterTuningJobStatus="InProgress")
    one.plane.recover()
    assert one.describe("done")["HyperParameterTuningJobStatus"] == "Completed"
    assert one.describe("ran")["HyperParameterTuningJobStatus"] == "Failed"
    assert "local cloud ended" in one.describe("ran")["FailureReason"]


def test_close_ends_tuning_jobs_and_asks_training_jobs_to_stop(bench: Any) -> None:
    started = threading.Semaphore(0)

    def stay(script: Script) -> None:
        started.release()
        script.pause()

    one = bench(stay)
    one.call("CreateHyperParameterTuningJob", **tuning())
    for _ in range(2):
        assert started.acquire(timeout=WAIT)
    one.plane.close()
    assert one.describe()["HyperParameterTuningJobStatus"] == "Stopped"
    assert len(one.training.stops) == 2


def test_the_sdks_tuner_works_on_top(
    bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = bench(peak)
    server = MotoServer()
    url = server.start()
    try:
        server.answer_sagemaker(one.plane.handle)
        account = create_account(url, REGION)
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": account.administrator.key,
            "AWS_SECRET_ACCESS_KEY": account.administrator.secret,
        }.items():
            monkeypatch.setenv(name, value)
        with sdk.quiet(REGION):
            session = Session(boto3.Session(region_name=REGION), default_bucket=account.bucket)
            trainer = sdk.ModelTrainer(
                sagemaker_session=session,
                role=account.role_arn,
                training_image="image",
                compute=sdk.Compute(
                    instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1
                ),
                output_data_config=sdk.OutputDataConfig(s3_output_path=f"s3://{account.bucket}/o"),
                stopping_condition=sdk.StoppingCondition(max_runtime_in_seconds=600),
                hyperparameters={"epochs": "3"},
            )
            tuner = sdk.HyperparameterTuner(
                trainer,
                METRIC,
                {
                    "x": sdk.ContinuousParameter(0.0, 1.0),
                    "type": sdk.CategoricalParameter(["a", "b"]),
                },
                metric_definitions=[{"Name": METRIC, "Regex": "bleu_long=(.*)"}],
                max_jobs=6,
                max_parallel_jobs=2,
                random_seed=1,
            )
            tuner.tune(job_name="tune", wait=False)
            one.until("Completed")
            tuner.wait()
            best = tuner.best_training_job()
            table = tuner.analytics().dataframe()
        assert best == one.describe()["BestTrainingJob"]["TrainingJobName"]
        assert len(table) == 6
        assert set(table["type"]) <= {"a", "b"}
        top = table.sort_values("FinalObjectiveValue")["TrainingJobName"].iloc[-1]
        assert top == best
    finally:
        server.stop()


TRAINER = """
import json, os, pathlib
base = pathlib.Path(os.environ["LONGSPAN_BASE"])
parameters = json.loads((base / "input/config/hyperparameters.json").read_text())
assert parameters["_tuning_objective_metric"] == "validation:bleu_long", parameters
assert (base / "input/data/prepared/pairs.txt").read_text() == "ein Paar"
for epoch in range(int(parameters["epochs"])):
    print(f"validation:bleu_long={epoch + float(parameters['x'])}", flush=True)
(base / "model").mkdir(exist_ok=True)
(base / "model/x").write_text(parameters["x"])
"""


class ScriptRuntime:
    """The process runtime, with a script for the image's `train`."""

    def __init__(self, script: Path) -> None:
        self._processes = ProcessRuntime()
        self._script = script

    def host_names(self, count: int) -> tuple[str, ...]:
        return self._processes.host_names(count)

    def start(self, container: Container) -> Running:
        assert container.command == ("train",)
        command = ("python", str(self._script))
        return self._processes.start(dataclasses.replace(container, command=command))

    def close(self) -> None:
        self._processes.close()


def test_real_training_jobs_are_tuned(tmp_path: Path) -> None:
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    server = MotoServer()
    url = server.start()
    account = create_account(url, REGION)
    runtime = ScriptRuntime(script)
    context = Context(
        documents=Documents(),
        clients=Clients(url, account.administrator),
        runtime=runtime,
        workplace=tmp_path / "work",
        now=time.time,
    )
    training = training_jobs(context)
    plane = ControlPlane([training, TuningJobs(context, training)])
    try:
        server.answer_sagemaker(plane.handle)
        clients = context.clients.in_region(REGION)
        s3, sagemaker = clients.client("s3"), clients.client("sagemaker")
        s3.put_object(Bucket=account.bucket, Key="in/pairs.txt", Body=b"ein Paar")
        request = tuning(jobs=3)
        asked = request["TrainingJobDefinition"]
        asked["RoleArn"] = account.role_arn
        asked["OutputDataConfig"]["S3OutputPath"] = f"s3://{account.bucket}/out"
        source = asked["InputDataConfig"][0]["DataSource"]["S3DataSource"]
        source["S3Uri"] = f"s3://{account.bucket}/in"
        sagemaker.create_hyper_parameter_tuning_job(**request)
        key = Key("tuning-job", REGION, "tune")
        context.documents.wait(
            key, lambda d: d["HyperParameterTuningJobStatus"] != "InProgress", 60
        )
        done = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
        assert done["HyperParameterTuningJobStatus"] == "Completed", done
        best = done["BestTrainingJob"]
        listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName="tune", SortBy="FinalObjectiveMetricValue"
        )["TrainingJobSummaries"]
        xs = [float(job["TunedHyperParameters"]["x"]) for job in listed]
        assert xs == sorted(xs)
        assert len(xs) == 3
        assert best["TrainingJobName"] == listed[-1]["TrainingJobName"]
        value = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        assert value == pytest.approx(2 + xs[-1], rel=1e-5)
        # What TuningStep.get_top_model_s3_uri names.
        place = f"out/{best['TrainingJobName']}/output/model.tar.gz"
        assert s3.head_object(Bucket=account.bucket, Key=place)["ContentLength"] > 0
        job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
        assert job["TuningJobArn"] == done["HyperParameterTuningJobArn"]
    finally:
        plane.close()
        runtime.close()
        server.stop()
