"""The gate: only a model that holds on long sentences, and loses nothing on short ones, passes.

Both thresholds are parameters. What fails says which threshold, what was wanted and what came.
SageMaker does not take a condition step within another one, so each names all that it asks for;
where the gate fails, the conditions behind it are not met either.
"""

from typing import Any

from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.evaluation import figure
from longspan.pipelines.sdk import (
    ConditionEquals,
    ConditionGreaterThanOrEqualTo,
    ConditionStep,
    FailStep,
    Join,
)

__all__ = ["deploy_step", "gate_steps", "release_step"]


def gate_steps(context: BuildContext) -> list[ConditionStep]:
    """The conditions on long sentences and on short ones, which fail the execution."""
    parameters = context.parameters
    long = _fail(
        "FailLong",
        "The tuned model does not hold on sentences of more than 100 words: expected BLEU of at "
        "least ",
        parameters.minimum_bleu_long,
        figure("bleu_long"),
        " (change against the baseline: ",
        figure("bleu_long_change"),
        "). Lower MinimumBleuLong, or train longer and with more length_augmentation.",
    )
    short = _fail(
        "FailShort",
        "The tuned model loses too much on sentences of up to 20 words: expected a change of BLEU "
        "against the baseline of at least ",
        parameters.minimum_bleu_short_change,
        figure("bleu_short_change"),
        " (its BLEU there: ",
        figure("bleu_short"),
        "). Lower MinimumBleuShortChange, or train longer.",
    )
    return [
        _condition("GateLong", [_holds_long(context)], [], [long]),
        _condition("GateShort", [_keeps_short(context)], [], [short]),
    ]


def release_step(context: BuildContext, steps: list[Any]) -> ConditionStep:
    """What a model that passes the gate becomes."""
    return _condition("Release", [_holds_long(context), _keeps_short(context)], steps, [])


def deploy_step(context: BuildContext, steps: list[Any]) -> ConditionStep:
    """Deploys only what is approved; what waits for a person is deployed by `longspan deploy`."""
    approved = ConditionEquals(left=context.parameters.approval, right="Approved")
    conditions = [_holds_long(context), _keeps_short(context), approved]
    return _condition("Deploy", conditions, steps, [])


def _holds_long(context: BuildContext) -> Any:
    return ConditionGreaterThanOrEqualTo(
        left=figure("bleu_long"), right=context.parameters.minimum_bleu_long
    )


def _keeps_short(context: BuildContext) -> Any:
    return ConditionGreaterThanOrEqualTo(
        left=figure("bleu_short_change"), right=context.parameters.minimum_bleu_short_change
    )


def _condition(
    name: str, conditions: list[Any], if_steps: list[Any], else_steps: list[Any]
) -> ConditionStep:
    """All conditions must hold."""
    return ConditionStep(name=name, conditions=conditions, if_steps=if_steps, else_steps=else_steps)


def _fail(
    name: str, expected: str, threshold: Any, came: Any, detail: str, other: Any, advice: str
) -> FailStep:
    values = [expected, threshold.to_string(), ", came ", came, detail, other, advice]
    return FailStep(name=name, error_message=Join(on="", values=values))
