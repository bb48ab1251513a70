import pytest

from longspan.infra.local.tuning.completion import Criteria, failure, not_improving
from longspan.infra.local.tuning.definitions import Objective
from longspan.infra.local.tuning.results import TrialResult, best_result

UP = Objective("bleu", "Maximize")
DOWN = Objective("loss", "Minimize")


@pytest.mark.parametrize(
    ("values", "objective", "stale"),
    [
        ([], UP, 0),
        ([10.0], UP, 0),
        ([10.0, 10.05, 10.09], UP, 2),  # less than 1% better than 10
        ([10.0, 10.05, 10.2], UP, 0),
        ([10.0, 9.95, 9.8], DOWN, 0),
        ([10.0, 12.0, 9.95], DOWN, 2),
        ([-1.0, -1.001, -0.5], UP, 0),
        ([0.0, 0.0], UP, 1),
    ],
)
def test_not_improving(values: list[float], objective: Objective, stale: int) -> None:
    assert not_improving(values, objective) == stale


@pytest.mark.parametrize(
    ("criteria", "values", "objective", "holds"),
    [
        ({}, [1.0] * 100, UP, False),
        ({"TargetObjectiveMetricValue": 5.0}, [4.9], UP, False),
        ({"TargetObjectiveMetricValue": 5.0}, [5.0, 4.0], UP, True),
        ({"TargetObjectiveMetricValue": 5.0}, [5.1], DOWN, False),
        ({"TargetObjectiveMetricValue": 5.0}, [5.0], DOWN, True),
        ({"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}},
         [1.0] * 3, UP, False),
        ({"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}},
         [1.0] * 4, UP, True),
        ({"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}, [1.0] * 10, UP, False),
        ({"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}, [1.0] * 11, UP, True),
        ({"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}},
         [float(n) for n in range(40)] + [39.0] * 12, UP, False),
        ({"ConvergenceDetected": {"CompleteOnConvergence": "Disabled"}}, [1.0] * 99, UP, False),
        ({"TargetObjectiveMetricValue": 5.0}, [], UP, False),
    ],
)  # fmt: skip
def test_criteria(
    criteria: dict[str, object], values: list[float], objective: Objective, holds: bool
) -> None:
    assert Criteria.parse(criteria).hold(values, objective) is holds


def result(status: str, value: float | None = None) -> TrialResult:
    metrics = [] if value is None else [{"MetricName": "bleu", "Value": value}]
    return TrialResult({"TrainingJobStatus": status, "FinalMetricDataList": metrics}, UP)


@pytest.mark.parametrize(
    ("results", "over", "reason"),
    [
        ([], True, None),
        ([result("Failed")] * 4, False, None),
        ([result("Failed")] * 4, True, "All training jobs failed."),
        ([result("Failed")] * 4 + [result("InProgress")], True, None),
        ([result("Failed")] * 5, False, "No training job succeeded after 5 attempts."),
        ([result("Failed")] * 5 + [result("Completed", 1.0)], True, None),
        ([result("Failed")] * 4 + [result("Completed")], False, "No objective metrics found"),
        ([result("Failed", 1.0)] * 5, False, "No training job succeeded"),
        ([result("Completed", float("nan"))], True, "No objective metrics found"),
    ],
)
def test_failure(results: list[TrialResult], over: bool, reason: str | None) -> None:
    found = failure(results, over=over)
    assert found is None if reason is None else (found or "").startswith(reason)


def test_best_takes_the_first_of_equals_and_jobs_that_were_stopped() -> None:
    jobs = [result("Failed", 9.0), result("Completed", 2.0), result("Stopped", 3.0)]
    jobs += [result("Completed", 3.0), result("InProgress", 8.0), result("Completed")]
    assert best_result(jobs) is jobs[2]
    assert best_result(jobs[:1]) is None
