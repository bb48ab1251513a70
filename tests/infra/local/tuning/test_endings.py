"""Ends of tuning jobs, and early stopping of trials: covers `tuning_run`."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from longspan.infra.local.control.api import ApiCall, ApiError, Document
from longspan.infra.local.tuning.stopping import Curve, HyperbandRule
from tests.infra.local.tuning.scripted_tuning import WAIT, Script, fail, peak, tuning, x_of


def test_stop_stops_the_training_jobs(scripted_tuning: Any) -> None:
    started = threading.Semaphore(0)
    release = threading.Event()

    def stay(script: Script) -> None:
        script.report(1.0)
        started.release()
        try:
            script.pause()
        finally:
            script.wait(release)

    one = scripted_tuning(stay)
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
    scripted_tuning: Any, script: Callable[[Script], None], jobs: int, reason: str
) -> None:
    one = scripted_tuning(script)
    done = one.run(tuning(jobs=jobs, parallel=1))
    assert done["HyperParameterTuningJobStatus"] == "Failed"
    assert done["FailureReason"].startswith(reason)
    assert len(one.training.requests) == min(jobs, 5)
    assert "BestTrainingJob" not in done
    assert done["ObjectiveStatusCounters"]["Failed"] == min(jobs, 5)


def test_some_failures_do_not_hurt(scripted_tuning: Any) -> None:
    one = scripted_tuning(lambda script: peak(script) if x_of(script) > 0.5 else fail(script))
    done = one.run(tuning(jobs=12))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    xs = [float(r["HyperParameters"]["x"]) for r in one.training.requests]
    failed = sum(x <= 0.5 for x in xs)
    assert 0 < failed < 12
    assert done["TrainingJobStatusCounters"]["NonRetryableError"] == failed
    assert done["ObjectiveStatusCounters"]["Failed"] == failed
    failures = one.training_jobs(StatusEquals="Failed")
    assert {job["FailureReason"] for job in failures} == {"AlgorithmError: no such channel"}


def test_a_training_job_that_cannot_start_fails_the_tuning_job(scripted_tuning: Any) -> None:
    one = scripted_tuning(lambda script: script.pause())
    first = one.training.start

    def start(call: ApiCall, *, extra: Document | None = None) -> str:
        if one.training.requests:
            raise ApiError("the quota is used up")
        return str(first(call, extra=extra))

    one.training.start = start
    done = one.run(tuning())
    assert done["HyperParameterTuningJobStatus"] == "Failed"
    assert done["FailureReason"] == "the quota is used up"
    assert done["TrainingJobStatusCounters"]["Stopped"] == 1


def test_a_target_ends_the_tuning_job_and_what_runs(scripted_tuning: Any) -> None:
    first = threading.Event()

    def script(script: Script) -> None:
        if script.name.startswith("tune-001"):
            script.wait(first)
            script.report(0.95)
        else:
            first.set()
            script.report(0.99)
            script.pause()

    one = scripted_tuning(script)
    done = one.run(tuning(TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.95}))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert len(one.training.requests) == 2
    assert done["TrainingJobStatusCounters"]["Stopped"] == 1


def test_without_improvement_the_tuning_job_ends(scripted_tuning: Any) -> None:
    one = scripted_tuning(lambda script: script.report(1.0))
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 4}}
    done = one.run(tuning(jobs=50, parallel=1, TuningJobCompletionCriteria=criteria))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert len(one.training.requests) == 5
    details = done["TuningJobCompletionDetails"]
    assert details["NumberOfTrainingJobsObjectiveNotImproving"] == 4


def test_past_its_time_the_tuning_job_ends(scripted_tuning: Any) -> None:
    one = scripted_tuning(lambda script: None)

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


def test_early_stopping_stops_what_is_below_the_median(scripted_tuning: Any) -> None:
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

    one = scripted_tuning(script)
    done = one.run(tuning(jobs=5, parallel=1, TrainingJobEarlyStoppingType="Auto"))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    statuses = [job["TrainingJobStatus"] for job in one.training_jobs()]
    assert statuses == ["Completed", "Completed", "Completed", "Stopped", "Completed"]
    stopped = one.training_jobs(StatusEquals="Stopped")[0]
    assert stopped["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 2.4


def test_hyperband_stops_jobs_at_its_rungs_and_all_at_the_maximum(scripted_tuning: Any) -> None:
    rule = HyperbandRule("Maximize", 1, 9)
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

    one = scripted_tuning(script)
    config = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
    done = one.run(tuning(strategy="Hyperband", jobs=12, parallel=1, StrategyConfig=config))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert done["TrainingJobStatusCounters"]["Stopped"] == 12
    lengths = [len(curve.values) for curve in curves]
    assert set(lengths) == {1, 3, 9}
    best = max(curves, key=lambda curve: curve.values[-1])
    number = int(done["BestTrainingJob"]["TrainingJobName"].split("-")[1])
    assert number - 1 == best.number


def test_close_ends_tuning_jobs_and_asks_training_jobs_to_stop(scripted_tuning: Any) -> None:
    started = threading.Semaphore(0)

    def stay(script: Script) -> None:
        started.release()
        script.pause()

    one = scripted_tuning(stay)
    one.call("CreateHyperParameterTuningJob", **tuning())
    for _ in range(2):
        assert started.acquire(timeout=WAIT)
    one.threads.close()
    assert one.describe()["HyperParameterTuningJobStatus"] == "Stopped"
    assert len(one.training.stops) == 2
