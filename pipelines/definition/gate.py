"""The gate: only a model that holds on long sentences, and loses nothing on short ones, passes.

Both thresholds are parameters. What fails says which threshold, what was wanted and what came.
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

__all__ = ["approval_step", "gate_steps"]


def gate_steps(context: BuildContext, passed: list[Any]) -> Any:
    """The condition on long sentences, within it that on short ones, within it `passed`."""
    parameters = context.parameters
    short = ConditionStep(
        name="GateShort",
        conditions=[
            ConditionGreaterThanOrEqualTo(
                left=figure("bleu_short_change"), right=parameters.minimum_bleu_short_change
            )
        ],
        if_steps=passed,
        else_steps=[
            _fail(
                "FailShort",
                "The tuned model loses too much on sentences of up to 20 words: expected a change "
                "of BLEU against the baseline of at least ",
                parameters.minimum_bleu_short_change,
                figure("bleu_short_change"),
                " (its BLEU there: ",
                figure("bleu_short"),
                "). Lower MinimumBleuShortChange, or train longer.",
            )
        ],
    )
    return ConditionStep(
        name="GateLong",
        conditions=[
            ConditionGreaterThanOrEqualTo(
                left=figure("bleu_long"), right=parameters.minimum_bleu_long
            )
        ],
        if_steps=[short],
        else_steps=[
            _fail(
                "FailLong",
                "The tuned model does not hold on sentences of more than 100 words: expected BLEU "
                "of at least ",
                parameters.minimum_bleu_long,
                figure("bleu_long"),
                " (change against the baseline: ",
                figure("bleu_long_change"),
                "). Lower MinimumBleuLong, or train longer and with more length_augmentation.",
            )
        ],
    )


def approval_step(context: BuildContext, approved: list[Any]) -> Any:
    """Deploys only what is approved; what waits for a person is deployed by `longspan deploy`."""
    return ConditionStep(
        name="Deploy",
        conditions=[ConditionEquals(left=context.parameters.approval, right="Approved")],
        if_steps=approved,
        else_steps=[],
    )


def _fail(
    name: str, expected: str, threshold: Any, came: Any, detail: str, other: Any, advice: str
) -> FailStep:
    values = [expected, threshold.to_string(), ", came ", came, detail, other, advice]
    return FailStep(name=name, error_message=Join(on="", values=values))
