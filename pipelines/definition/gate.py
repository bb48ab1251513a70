"""The gate: only a model that meets every requirement passes.

Each requirement is a condition step. Its fail step names the key of the config, the expected value
and the measured one. SageMaker allows no condition step within another one, so the conditions of
Release and Deploy repeat all requirements.
"""

from typing import Any

from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.evaluation import figure
from longspan.pipelines.definition.requirements import Requirement, requirements_of
from longspan.pipelines.definition.sdk import (
    ConditionEquals,
    ConditionGreaterThanOrEqualTo,
    ConditionLessThan,
    ConditionOr,
    ConditionStep,
    FailStep,
    Join,
)

__all__ = ["deploy_step", "gate_steps", "release_step"]


def gate_steps(context: BuildContext) -> list[ConditionStep]:
    """Return a condition step for each requirement; it fails the execution if it is not met."""
    return [
        _condition(
            f"Gate{requirement.name}",
            _conditions(context, requirement),
            [],
            [_fail(context, requirement)],
        )
        for requirement in requirements_of(context.config)
    ]


def release_step(context: BuildContext, steps: list[Any]) -> ConditionStep:
    """Return the condition step that runs `steps` for a model that passes the gate."""
    return _condition("Release", _everything(context), steps, [])


def deploy_step(context: BuildContext, steps: list[Any]) -> ConditionStep:
    """Return the condition step that deploys a model which passes the gate and is approved.

    `longspan deploy` deploys a model that a person approves later.
    """
    approved = ConditionEquals(left=context.parameters.approval, right="Approved")
    return _condition("Deploy", [*_everything(context), approved], steps, [])


def _everything(context: BuildContext) -> list[Any]:
    return [
        condition
        for requirement in requirements_of(context.config)
        for condition in _conditions(context, requirement)
    ]


def _conditions(context: BuildContext, requirement: Requirement) -> list[Any]:
    """Return a condition for each figure, equivalent to `Requirement.met`."""
    minimums = context.parameters.minimums
    minimum = minimums[requirement.minimum]
    reached = [
        ConditionGreaterThanOrEqualTo(left=figure(name), right=minimum)
        for name in requirement.figures
    ]
    if requirement.unless_below is None:
        return reached
    name, least = requirement.unless_below
    # "unless" as a condition: waived, or reached.
    waived = ConditionLessThan(left=figure(name), right=minimums[least])
    return [ConditionOr(conditions=[waived, condition]) for condition in reached]


def _condition(
    name: str, conditions: list[Any], if_steps: list[Any], else_steps: list[Any]
) -> ConditionStep:
    """Return a step that runs `if_steps` if all conditions hold, else `else_steps`."""
    return ConditionStep(name=name, conditions=conditions, if_steps=if_steps, else_steps=else_steps)


def _fail(context: BuildContext, requirement: Requirement) -> FailStep:
    def value_of(name: str) -> Any:
        minimum = context.parameters.minimums.get(name)
        return figure(name) if minimum is None else minimum.to_string()

    message = Join(on="", values=requirement.message(value_of))
    return FailStep(name=f"Fail{requirement.name}", error_message=message)
