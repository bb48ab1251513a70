"""A training definition with what searches it: strategy and stopping rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.tuning.definitions import Definition, Objective, definitions
from longspan.infra.local.tuning.results import Result
from longspan.infra.local.tuning.search_space import SearchSpace
from longspan.infra.local.tuning.stopping import (
    Hyperband,
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

__all__ = ["Arm", "arms"]


@dataclass(frozen=True)
class Arm:
    """Of a tuning job with several training definitions one; mostly there is one only."""

    definition: Definition
    objective: Objective
    strategy: Strategy
    rule: StoppingRule


def arms(request: Mapping[str, Any], parents: Sequence[Result]) -> tuple[Arm, ...]:
    """Of a checked request; `parents` are the results to start warm from."""
    config = request["HyperParameterTuningJobConfig"]
    built = tuple(_arm(config, definition) for definition in definitions(request))
    if parents:
        teach(built[0].strategy, request["WarmStartConfig"]["WarmStartType"], parents)
    return built


def _arm(config: Mapping[str, Any], definition: Definition) -> Arm:
    objective = definition.objective
    if objective is None:
        raise ValidationError("You must specify the objective metric of the tuning job.")
    return Arm(
        definition,
        objective,
        _strategy(config, SearchSpace.parse(definition.ranges), objective.goal),
        _rule(config, definition, objective.goal),
    )


def _strategy(config: Mapping[str, Any], space: SearchSpace, goal: str) -> Strategy:
    seed = config.get("RandomSeed")
    match config["Strategy"]:
        case "Grid":
            return GridStrategy(space)
        case "Bayesian":
            return bayesian(space, goal, seed)
        case _:  # Hyperband draws at random too
            return random_search(space, goal, seed)


def _rule(config: Mapping[str, Any], definition: Definition, goal: str) -> StoppingRule:
    if config["Strategy"] == "Hyperband":
        given = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
        low = int(given.get("MinResource") or 1)
        high = given.get("MaxResource") or infer_maximum(definition.static)
        return Hyperband(goal, low, int(high or low))
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        return MedianRule(goal)
    return NeverStop()
