"""Tuning jobs that learn from earlier ones."""

from collections.abc import Callable
from typing import Any

import pytest

from longspan.infra.local.control.api import ApiError, Document
from tests.infra.local.tuning.scripted_tuning import peak, tuning


def test_warm_start_learns_and_shows_the_overall_best(scripted_tuning: Any) -> None:
    one = scripted_tuning(peak)
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


def test_transfer_learning_begins_with_the_parents_best_points(scripted_tuning: Any) -> None:
    one = scripted_tuning(peak)
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
    scripted_tuning: Any, change: Callable[[Document], object], message: str
) -> None:
    one = scripted_tuning(peak)
    one.run(tuning("parent", jobs=1))
    child = tuning("child")
    child["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    change(child)
    with pytest.raises(ApiError, match=message):
        one.call("CreateHyperParameterTuningJob", **child)
