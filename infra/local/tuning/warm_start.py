"""Warm start: checks of the parents of a tuning job, and use of their results.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from longspan.infra.local.control.api import Document, ValidationError
from longspan.infra.local.tuning.definitions import TrainingDefinition, training_definitions
from longspan.infra.local.tuning.requests import OBJECTIVE_PARAMETER
from longspan.infra.local.tuning.results import TRAINING_ENDED, TrialResult
from longspan.infra.local.tuning.strategies import Strategy

__all__ = ["IDENTICAL", "check_parents", "parent_names", "teach"]

IDENTICAL = "IdenticalDataAndAlgorithm"
# With other data, objectives cannot be compared: only start from the parents' best points.
_FIRST_POINTS = 3


def parent_names(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parents' names in a request or a stored tuning job; none without warm start."""
    parents = (request.get("WarmStartConfig") or {}).get("ParentHyperParameterTuningJobs") or ()
    return tuple(parent.get("HyperParameterTuningJobName", "") for parent in parents)


def check_parents(request: Mapping[str, Any], parents: Sequence[Document]) -> None:
    """Check that a request can use its parents' results. Raises ValidationError."""
    names = parent_names(request)
    if len(set(names)) < len(names):
        raise ValidationError(f"Duplicate parent tuning jobs: [{', '.join(names)}]")
    if names and len(training_definitions(request)) > 1:
        raise ValidationError("WarmStartConfig is not supported with TrainingJobDefinitions.")
    for parent in parents:
        _check_parent(request, parent)


def _check_parent(request: Mapping[str, Any], parent: Document) -> None:
    name, status = parent["HyperParameterTuningJobName"], parent["HyperParameterTuningJobStatus"]
    if status not in TRAINING_ENDED:
        raise ValidationError(
            f"Parent tuning job {name} must be in a terminal state, it is in status {status}."
        )
    (child,), (old, *more) = training_definitions(request), training_definitions(parent)
    if more:
        raise ValidationError(f"Parent tuning job {name} has several training job definitions.")
    if child.objective != old.objective:
        raise ValidationError(
            f"The objective metric must be the same as that of parent tuning job {name}."
        )
    mine, its = _parameters(child), _parameters(old)
    if mine != its:
        raise ValidationError(
            "The total number of static and tunable hyperparameters must be the same as that of "
            f"parent tuning job {name}: it has {its}, got {mine}."
        )
    if request["WarmStartConfig"]["WarmStartType"] == IDENTICAL and _trained(child) != _trained(
        old
    ):
        raise ValidationError(
            f"With {IDENTICAL}, training image and input data must be those of parent tuning job "
            f"{name}. Use TransferLearning for others."
        )


def _parameters(definition: TrainingDefinition) -> int:
    ranges = ("Integer", "Continuous", "Categorical")
    tuned = sum(len(definition.ranges.get(f"{r}ParameterRanges") or ()) for r in ranges)
    return tuned + len(definition.static)


def _trained(definition: TrainingDefinition) -> tuple[Any, ...]:
    algorithm = definition.training["AlgorithmSpecification"]
    return (
        algorithm.get("TrainingImage"),
        algorithm.get("AlgorithmName"),
        definition.training.get("InputDataConfig"),
    )


def teach(strategy: Strategy, kind: str, results: Sequence[TrialResult]) -> None:
    """Give the results of the parents' training jobs to the strategy of a new tuning job.

    With identical data, the strategy learns from their objectives. With other data, it starts
    with their best points. Points outside the new ranges are ignored.
    """
    known = [(result.job, result.value) for result in results if result.value is not None]
    if kind != IDENTICAL:
        # `check_parents` has made sure that all parents have the same objective.
        goal = results[0].objective.goal if results else ""
        known = sorted(known, key=lambda item: item[1] or 0.0, reverse=goal == "Maximize")
        known = known[:_FIRST_POINTS]
    for job, value in known:
        values = {k: v for k, v in job["HyperParameters"].items() if k != OBJECTIVE_PARAMETER}
        with contextlib.suppress(ValueError):
            if kind == IDENTICAL:
                strategy.learn(values, float(value or 0.0))
            else:
                strategy.try_first(values)
