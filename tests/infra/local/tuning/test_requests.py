import copy
from collections.abc import Callable
from typing import Any

import pytest

from longspan.infra.local.control import shapes
from longspan.infra.local.control.api import ApiError, Document
from longspan.infra.local.tuning.requests import check_tuning_request, job_limit

METRIC = "validation:bleu_long"


def request() -> Document:
    """One that is right; it has a range of every kind."""
    return {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": METRIC},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "IntegerParameterRanges": [{"Name": "heads", "MinValue": "1", "MaxValue": "8"}],
                "ContinuousParameterRanges": [
                    {"Name": "dropout", "MinValue": "0", "MaxValue": "0.5"}
                ],
                "CategoricalParameterRanges": [{"Name": "type", "Values": ["a", "b"]}],
            },
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"seed": "1"},
            "AlgorithmSpecification": {
                "TrainingImage": "image",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": METRIC, "Regex": "x"}],
            },
            "RoleArn": "arn:aws:iam::123456789012:role/longspan-local",
            "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    }


def config(changed: Document) -> Document:
    found: Document = changed["HyperParameterTuningJobConfig"]
    return found


def ranges(changed: Document, kind: str) -> list[Document]:
    found: list[Document] = config(changed)["ParameterRanges"][f"{kind}ParameterRanges"]
    return found


def grid(changed: Document, **limits: Any) -> None:
    config(changed)["Strategy"] = "Grid"
    config(changed)["ParameterRanges"] = {
        "CategoricalParameterRanges": [
            {"Name": "a", "Values": ["1", "2"]},
            {"Name": "b", "Values": ["1", "2", "3"]},
        ]
    }
    config(changed)["ResourceLimits"] = {"MaxParallelTrainingJobs": 2, **limits}


def hyperband(changed: Document, **resources: Any) -> None:
    config(changed)["Strategy"] = "Hyperband"
    if resources:
        config(changed)["StrategyConfig"] = {"HyperbandStrategyConfig": resources}


def definition(changed: Document) -> Document:
    found: Document = changed["TrainingJobDefinition"]
    return found


def several(changed: Document, *names: str, goals: tuple[str, ...] = ()) -> None:
    one = changed.pop("TrainingJobDefinition")
    objective = config(changed).pop("HyperParameterTuningJobObjective")
    found = config(changed).pop("ParameterRanges")
    changed["TrainingJobDefinitions"] = [
        {
            **copy.deepcopy(one),
            "DefinitionName": name,
            "TuningObjective": {**objective, **({"Type": goals[n]} if goals else {})},
            "HyperParameterRanges": found,
        }
        for n, name in enumerate(names)
    ]


RIGHT: list[Callable[[Document], object]] = [
    lambda r: None,
    grid,
    lambda r: grid(r, MaxNumberOfTrainingJobs=6),
    lambda r: hyperband(r, MinResource=1, MaxResource=27),
    lambda r: (hyperband(r), definition(r)["StaticHyperParameters"].update(epochs="9")),
    lambda r: several(r, "one", "two"),
    lambda r: ranges(r, "Continuous").append(
        {
            "Name": "smooth",
            "MinValue": "0.5",
            "MaxValue": "0.99",
            "ScalingType": "ReverseLogarithmic",
        }
    ),
    lambda r: ranges(r, "Integer").append({"Name": "same", "MinValue": "3", "MaxValue": "3"}),
]


@pytest.mark.parametrize("change", RIGHT)
def test_what_makes_sense_is_accepted(change: Callable[[Document], object]) -> None:
    right = request()
    change(right)
    shapes.validate(right, shapes.operation("CreateHyperParameterTuningJob").input_shape)
    check_tuning_request(right)


def scaled(kind: str, low: str, high: str, scaling: str | None = None) -> Callable[..., object]:
    added = {"Name": "added", "MinValue": low, "MaxValue": high}
    if scaling:
        added["ScalingType"] = scaling
    return lambda r: ranges(r, kind).append(added)


WRONG: list[tuple[Callable[[Document], object], str]] = [
    (scaled("Integer", "8", "1"), "added is invalid: MinValue 8 is greater than MaxValue 1"),
    (scaled("Integer", "1.5", "3"), "must be integer numbers, got '1.5' and '3'"),
    (scaled("Continuous", "low", "3"), "must be continuous numbers, got 'low'"),
    (scaled("Continuous", "0", "nan"), "must be continuous numbers"),
    (scaled("Continuous", "0", "inf"), "must be continuous numbers"),
    (scaled("Continuous", "0", "1", "Logarithmic"), "needs a MinValue above 0"),
    (scaled("Integer", "0", "9", "Logarithmic"), "needs a MinValue above 0"),
    (scaled("Continuous", "0.5", "1", "ReverseLogarithmic"), "within 0 <= x < 1"),
    (scaled("Continuous", "-0.5", "0.5", "ReverseLogarithmic"), "within 0 <= x < 1"),
    (scaled("Integer", "1", "9", "ReverseLogarithmic"), "for continuous ranges only"),
    (lambda r: ranges(r, "Categorical")[0]["Values"].append("a"), "a value is repeated"),
    (
        lambda r: ranges(r, "Categorical").append({"Name": "heads", "Values": ["1"]}),
        r"Duplicate hyperparameter ranges: \[heads\]",
    ),
    (lambda r: ranges(r, "Integer")[0].update(Name=""), "has no name"),
    (lambda r: config(r).pop("ParameterRanges"), "at least one hyperparameter range"),
    (
        lambda r: config(r)["ParameterRanges"].update(
            AutoParameters=[{"Name": "x", "ValueHint": "1"}]
        ),
        "no AutoParameters",
    ),
    (lambda r: r.update(Autotune={"Mode": "Enabled"}), "no Autotune"),
    (
        lambda r: definition(r)["StaticHyperParameters"].update(heads="3"),
        r"both static and tunable: \[heads\]",
    ),
    (
        lambda r: definition(r)["StaticHyperParameters"].update(_tuning_objective_metric="x"),
        "_tuning_objective_metric is reserved",
    ),
    (
        lambda r: definition(r)["StaticHyperParameters"].update({str(n): "1" for n in range(97)}),
        "at most 100 hyperparameters",
    ),
    (lambda r: config(r).pop("HyperParameterTuningJobObjective"), "must specify the objective"),
    (
        lambda r: config(r)["HyperParameterTuningJobObjective"].update(MetricName="loss"),
        rf"Objective metric loss is not among .*\[{METRIC}\]",
    ),
    (lambda r: definition(r).pop("ResourceConfig"), "either ResourceConfig or"),
    (lambda r: r.pop("TrainingJobDefinition"), "either TrainingJobDefinition or"),
    (lambda r: several(r, "one", "one"), "DefinitionName of its own"),
    (
        lambda r: several(r, "one", "two", goals=("Maximize", "Minimize")),
        "same objective type",
    ),
    (
        lambda r: (
            several(r, "one"),
            config(r).update(
                HyperParameterTuningJobObjective={"Type": "Maximize", "MetricName": METRIC}
            ),
        ),
        "in each of them",
    ),
    (lambda r: config(r).update(Strategy="Grid"), "Only categorical parameters"),
    (lambda r: grid(r, MaxNumberOfTrainingJobs=5), "distinct categorical combinations: 6"),
    (hyperband, "has no MaxResource"),
    (lambda r: hyperband(r, MinResource=9, MaxResource=3), "got MinResource 9, MaxResource 3"),
    (lambda r: hyperband(r, MinResource=1, MaxResource=20_001), "to 20000"),
    (
        lambda r: (
            hyperband(r, MinResource=1, MaxResource=9),
            config(r).update(TrainingJobEarlyStoppingType="Auto"),
        ),
        "must be Off to use Hyperband",
    ),
    (
        lambda r: config(r).update(StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 1}}),
        "only supported for the Hyperband strategy",
    ),
    (
        lambda r: config(r)["ResourceLimits"].pop("MaxNumberOfTrainingJobs"),
        "must have MaxNumberOfTrainingJobs or MaxRuntimeInSeconds",
    ),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_what_makes_no_sense_is_refused(change: Callable[[Document], object], message: str) -> None:
    wrong = request()
    change(wrong)
    with pytest.raises(ApiError, match=message) as refused:
        check_tuning_request(wrong)
    assert refused.value.code == "ValidationException"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda r: config(r)["ResourceLimits"].update(MaxNumberOfTrainingJobs=751),
            "training jobs per Bayesian hyperparameter tuning job' is 750, .*delta of 751",
        ),
        (
            lambda r: config(r)["ResourceLimits"].update(MaxParallelTrainingJobs=11),
            "parallel training jobs per Bayesian hyperparameter tuning job' is 10",
        ),
        (
            lambda r: ranges(r, "Integer").extend(
                {"Name": str(n), "MinValue": "1", "MaxValue": "2"} for n in range(28)
            ),
            "hyperparameters that can be searched' is 30, .*delta of 31",
        ),
    ],
)
def test_quotas(change: Callable[[Document], object], message: str) -> None:
    wrong = request()
    change(wrong)
    with pytest.raises(ApiError, match=message) as refused:
        check_tuning_request(wrong)
    assert refused.value.code == "ResourceLimitExceeded"


def test_a_grid_has_as_many_jobs_as_points() -> None:
    asked = request()
    assert job_limit(asked) == 10
    grid(asked)
    assert job_limit(asked) == 6
