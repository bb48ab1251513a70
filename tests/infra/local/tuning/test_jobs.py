"""Training jobs of tuning jobs, and the lists of both: covers `service` and `tuning_run`."""

import threading
from typing import Any

import pytest

from longspan.infra.local.control.api import ApiError
from longspan.infra.local.control.documents import Key
from tests.infra.local.tuning.scripted_tuning import (
    METRIC,
    REGION,
    WAIT,
    Script,
    fail,
    peak,
    tuning,
    x_of,
)


def test_training_jobs_get_names_hyperparameters_and_tags(scripted_tuning: Any) -> None:
    one = scripted_tuning(peak)
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


def test_as_many_jobs_run_at_a_time_as_asked_and_no_more(scripted_tuning: Any) -> None:
    full, opened = threading.Semaphore(0), threading.Event()

    def wait(script: Script) -> None:
        full.release()
        script.wait(opened)
        script.report(1.0)

    one = scripted_tuning(wait)
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
def test_the_best_job_is_the_best_last_value(
    scripted_tuning: Any, strategy: str, goal: str
) -> None:
    one = scripted_tuning(peak)
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


def test_a_seed_gives_the_same_points(scripted_tuning: Any) -> None:
    def points(name: str, seed: int) -> list[str]:
        one = scripted_tuning(peak)
        one.run(tuning(name, "Bayesian", jobs=8, parallel=1, RandomSeed=seed))
        return [request["HyperParameters"]["x"] for request in one.training.requests]

    assert points("a", 3) == points("b", 3) != points("a", 4)


def test_a_grid_ends_when_every_point_was_tried(scripted_tuning: Any) -> None:
    one = scripted_tuning(lambda script: script.report(len(script.parameters["b"])))
    ranges = [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "yy", "zzz"]}]
    request = tuning(
        strategy="Grid", jobs=None, ParameterRanges={"CategoricalParameterRanges": ranges}
    )
    done = one.run(request)
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    tried = [(r["HyperParameters"]["a"], r["HyperParameters"]["b"]) for r in one.training.requests]
    assert sorted(tried) == [(a, b) for a in "12" for b in ("x", "yy", "zzz")]
    assert done["BestTrainingJob"]["TunedHyperParameters"]["b"] == "zzz"


def test_a_search_of_a_finite_space_ends_with_it(scripted_tuning: Any) -> None:
    one = scripted_tuning(peak)
    ranges = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["0", "0.5", "0.9"]}]}
    done = one.run(tuning(jobs=9, ParameterRanges=ranges))
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert sorted(r["HyperParameters"]["x"] for r in one.training.requests) == ["0", "0.5", "0.9"]


def test_several_definitions_take_turns(scripted_tuning: Any) -> None:
    one = scripted_tuning(lambda script: script.report(float(script.parameters.get("y", -1.0))))
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


def test_lists_sort_filter_and_page(scripted_tuning: Any) -> None:
    def script(script: Script) -> None:
        if x_of(script) < 0.3:
            fail(script)
        peak(script)

    one = scripted_tuning(script)
    for name in ("alpha", "beta", "gamma"):
        one.clock[0] += 10
        one.run(tuning(name, jobs=8))
    listed = one.call("ListHyperParameterTuningJobs", MaxResults=2)
    names = [
        job["HyperParameterTuningJobName"] for job in listed["HyperParameterTuningJobSummaries"]
    ]
    assert names == ["alpha", "beta"]
    rest = one.call("ListHyperParameterTuningJobs", MaxResults=2, NextToken=listed["NextToken"])
    names = [job["HyperParameterTuningJobName"] for job in rest["HyperParameterTuningJobSummaries"]]
    assert names == ["gamma"]
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


def test_a_name_is_taken_until_the_job_is_deleted(scripted_tuning: Any) -> None:
    one = scripted_tuning(peak)
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


def test_after_a_crash_what_ran_has_failed(scripted_tuning: Any) -> None:
    one = scripted_tuning(peak)
    one.run(tuning("done", jobs=1))
    one.run(tuning("ran", jobs=1))
    key = Key("tuning-job", REGION, "ran")
    one.documents.change(key, HyperParameterTuningJobStatus="InProgress")
    one.plane.recover()
    assert one.describe("done")["HyperParameterTuningJobStatus"] == "Completed"
    assert one.describe("ran")["HyperParameterTuningJobStatus"] == "Failed"
    assert "local cloud ended" in one.describe("ran")["FailureReason"]
