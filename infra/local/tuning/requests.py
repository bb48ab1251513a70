"""Checks of requests for tuning jobs, beyond the API's model, as on AWS.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from longspan.infra.local.control.api import ResourceLimitExceeded, ValidationError
from longspan.infra.local.tuning.definitions import TrainingDefinition, training_definitions
from longspan.infra.local.tuning.parameter_space import ParameterSpace
from longspan.infra.local.tuning.ranges import check_ranges
from longspan.infra.local.tuning.stopping import infer_maximum

__all__ = ["OBJECTIVE_PARAMETER", "check_tuning_request", "job_limit"]

# Every training job of a tuning job gets this hyperparameter.
OBJECTIVE_PARAMETER = "_tuning_objective_metric"

# Quotas of AWS, from the page above: what passes here must not be refused there.
_MAXIMUM_TUNED = 30
_MAXIMUM_PARAMETERS = 100
_MAXIMUM_EPOCHS = 20_000
_MAXIMUM_JOBS: Mapping[str, int] = {
    "Bayesian": 750,
    "Random": 10_000,
    "Hyperband": 4_000,
    "Grid": 10_000,
}
_MAXIMUM_PARALLEL: Mapping[str, int] = {
    "Bayesian": 10,
    "Random": 100,
    "Hyperband": 100,
    "Grid": 100,
}


def check_tuning_request(request: Mapping[str, Any]) -> None:
    """Check a request, with AWS's messages where they are known.

    Raises ValidationError, ResourceLimitExceeded.
    """
    _check_form(request)
    found = training_definitions(request)
    for definition in found:
        _check_definition(definition)
    if len({definition.objective.goal for definition in found if definition.objective}) > 1:
        raise ValidationError("All training job definitions must have the same objective type.")
    config = request["HyperParameterTuningJobConfig"]
    strategy = config["Strategy"]
    if strategy == "Grid":
        _check_grid(found, config["ResourceLimits"])
    _check_hyperband(config, found)
    _check_limits(config)


def job_limit(request: Mapping[str, Any]) -> int:
    """Return the most training jobs of a tuning job; for a grid, the number of its points."""
    config = request["HyperParameterTuningJobConfig"]
    if config["Strategy"] == "Grid":
        return sum(ParameterSpace.parse(d.ranges).size or 0 for d in training_definitions(request))
    limit = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    # Only a criterion or the time limit ends such a search; the quota holds for it as well.
    return int(limit or _MAXIMUM_JOBS[config["Strategy"]])


def _check_form(request: Mapping[str, Any]) -> None:
    config = request["HyperParameterTuningJobConfig"]
    several = request.get("TrainingJobDefinitions")
    if bool(several) == bool(request.get("TrainingJobDefinition")):
        raise ValidationError(
            "You must specify either TrainingJobDefinition or TrainingJobDefinitions, but not both."
        )
    if several:
        names = [training.get("DefinitionName") for training in several]
        if None in names or len(set(names)) < len(names):
            raise ValidationError(
                "Each of TrainingJobDefinitions must have a DefinitionName of its own."
            )
        if config.get("HyperParameterTuningJobObjective") or config.get("ParameterRanges"):
            raise ValidationError(
                "With TrainingJobDefinitions, give TuningObjective and HyperParameterRanges in "
                "each of them, not in HyperParameterTuningJobConfig."
            )
    if request.get("Autotune"):
        raise ValidationError("The local cloud has no Autotune: name the ranges in the request.")


def _check_definition(definition: TrainingDefinition) -> None:
    if definition.objective is None:
        raise ValidationError("You must specify the objective metric of the tuning job.")
    metrics = definition.training["AlgorithmSpecification"].get("MetricDefinitions") or []
    known = sorted(metric["Name"] for metric in metrics)
    # The objective is read from the logs by this definition; without it no trial would have a
    # result.
    if definition.objective.metric not in known:
        raise ValidationError(
            f"Objective metric {definition.objective.metric} is not among the metric definitions "
            f"of the training job definition: [{', '.join(known)}]"
        )
    if definition.ranges.get("AutoParameters"):
        raise ValidationError("The local cloud has no AutoParameters: give their ranges.")
    _check_count(check_ranges(definition.ranges, definition.static), definition.static)
    _check_resources(definition.training)


def _check_count(names: Sequence[str], static: Mapping[str, str]) -> None:
    if OBJECTIVE_PARAMETER in {*names, *static}:
        raise ValidationError(f"The hyperparameter name {OBJECTIVE_PARAMETER} is reserved.")
    if len(names) > _MAXIMUM_TUNED:
        raise _exceeded("hyperparameters that can be searched", _MAXIMUM_TUNED, len(names))
    # One more, since `training_request` adds the name of the objective.
    if len(names) + len(static) + 1 > _MAXIMUM_PARAMETERS:
        raise ValidationError(
            f"A training job has at most {_MAXIMUM_PARAMETERS} hyperparameters, got "
            f"{len(names)} tunable and {len(static)} static ones, and {OBJECTIVE_PARAMETER}"
        )


def _check_resources(training: Mapping[str, Any]) -> None:
    plain = training.get("ResourceConfig")
    tuned = training.get("HyperParameterTuningResourceConfig")
    if bool(plain) == bool(tuned):
        raise ValidationError(
            "You must specify either ResourceConfig or HyperParameterTuningResourceConfig, "
            "but not both."
        )


def _check_grid(found: tuple[TrainingDefinition, ...], limits: Mapping[str, Any]) -> None:
    for definition in found:
        ranges = definition.ranges
        if ranges.get("IntegerParameterRanges") or ranges.get("ContinuousParameterRanges"):
            raise ValidationError(
                "Only categorical parameters are supported when using the Grid search strategy."
            )
    points = sum(ParameterSpace.parse(definition.ranges).size or 0 for definition in found)
    asked = limits.get("MaxNumberOfTrainingJobs")
    if asked is not None and asked != points:
        raise ValidationError(
            f"MaxNumberOfTrainingJobs is {asked}, but with the Grid search strategy it must equal "
            f"the total number of distinct categorical combinations: {points}. Leave it out."
        )
    if points > _MAXIMUM_JOBS["Grid"]:
        raise _exceeded(
            "training jobs per Grid hyperparameter tuning job", _MAXIMUM_JOBS["Grid"], points
        )


def _check_hyperband(config: Mapping[str, Any], found: tuple[TrainingDefinition, ...]) -> None:
    given = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig")
    if config["Strategy"] != "Hyperband":
        if given is not None:
            raise ValidationError(
                "HyperbandStrategyConfig is only supported for the Hyperband strategy."
            )
        return
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        raise ValidationError("TrainingJobEarlyStoppingType must be Off to use Hyperband.")
    low = (given or {}).get("MinResource") or 1
    for definition in found:
        high = (given or {}).get("MaxResource") or infer_maximum(definition.static)
        if high is None:
            raise ValidationError(
                "HyperbandStrategyConfig has no MaxResource, and none of the static "
                "hyperparameters epochs, numepochs, n-epochs, n_epochs, num_epochs tells it."
            )
        if not low <= high <= _MAXIMUM_EPOCHS:
            raise ValidationError(
                f"MaxResource must be from MinResource to {_MAXIMUM_EPOCHS}, "
                f"got MinResource {low}, MaxResource {high}"
            )


def _check_limits(config: Mapping[str, Any]) -> None:
    limits, strategy = config["ResourceLimits"], config["Strategy"]
    asked, quota = limits.get("MaxNumberOfTrainingJobs"), _MAXIMUM_JOBS[strategy]
    ends = limits.get("MaxRuntimeInSeconds") or config.get("TuningJobCompletionCriteria")
    if asked is None and strategy != "Grid" and not ends:
        raise ValidationError(
            "ResourceLimits must have MaxNumberOfTrainingJobs or MaxRuntimeInSeconds, "
            "or TuningJobCompletionCriteria must be given."
        )
    if asked is not None and asked > quota:
        raise _exceeded(f"training jobs per {strategy} hyperparameter tuning job", quota, asked)
    parallel, quota = limits["MaxParallelTrainingJobs"], _MAXIMUM_PARALLEL[strategy]
    if parallel > quota:
        raise _exceeded(
            f"parallel training jobs per {strategy} hyperparameter tuning job", quota, parallel
        )


def _exceeded(what: str, quota: int, asked: int) -> ResourceLimitExceeded:
    return ResourceLimitExceeded(
        f"The account-level service limit 'Maximum number of {what}' is {quota}, with current "
        f"utilization of 0 and a request delta of {asked}. Please contact AWS support to request "
        "an increase for this limit."
    )
