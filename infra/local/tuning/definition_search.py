"""Searches over training definitions: each has a strategy and a stopping rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.tuning.definitions import (
    Objective,
    TrainingDefinition,
    training_definitions,
)
from longspan.infra.local.tuning.parameter_space import ParameterSpace
from longspan.infra.local.tuning.results import TrialResult
from longspan.infra.local.tuning.stopping import (
    HyperbandRule,
    MedianRule,
    NeverStop,
    StoppingRule,
    infer_maximum,
)
from longspan.infra.local.tuning.strategies import (
    GridStrategy,
    Strategy,
    bayesian,
    random_search,
)
from longspan.infra.local.tuning.warm_start import teach

__all__ = ["DefinitionSearch", "definition_searches"]


@dataclass(frozen=True)
class DefinitionSearch:
    """Search over one training definition; most tuning jobs have only one."""

    definition: TrainingDefinition
    objective: Objective
    strategy: Strategy
    rule: StoppingRule


def definition_searches(
    request: Mapping[str, Any], parents: Sequence[TrialResult]
) -> tuple[DefinitionSearch, ...]:
    """Return the searches of a checked request; `parents` are results for a warm start."""
    config = request["HyperParameterTuningJobConfig"]
    built = tuple(
        _definition_search(config, definition) for definition in training_definitions(request)
    )
    # `check_parents` refuses a warm start with several definitions: the first one is the only one.
    if parents:
        teach(built[0].strategy, request["WarmStartConfig"]["WarmStartType"], parents)
    return built


def _definition_search(
    config: Mapping[str, Any], definition: TrainingDefinition
) -> DefinitionSearch:
    objective = definition.objective
    if objective is None:
        raise ValidationError("You must specify the objective metric of the tuning job.")
    return DefinitionSearch(
        definition,
        objective,
        _strategy(config, ParameterSpace.parse(definition.ranges), objective.goal),
        _rule(config, definition, objective.goal),
    )


def _strategy(config: Mapping[str, Any], space: ParameterSpace, goal: str) -> Strategy:
    seed = config.get("RandomSeed")
    match config["Strategy"]:
        case "Grid":
            return GridStrategy(space)
        case "Bayesian":
            return bayesian(space, goal, seed)
        case _:  # Random, and Hyperband, which also draws at random
            return random_search(space, goal, seed)


def _rule(config: Mapping[str, Any], definition: TrainingDefinition, goal: str) -> StoppingRule:
    if config["Strategy"] == "Hyperband":
        given = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
        low = int(given.get("MinResource") or 1)
        high = given.get("MaxResource") or infer_maximum(definition.static)
        # `high` is known: `check_tuning_request` refuses a request that does not tell it.
        return HyperbandRule(goal, low, int(high or low))
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        return MedianRule(goal)
    return NeverStop()
