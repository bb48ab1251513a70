"""Parameters of the pipeline: what one changes from run to run without a new definition."""

from collections.abc import Iterator
from dataclasses import dataclass

from longspan.pipelines.config import Config
from longspan.pipelines.definition.target import Target
from longspan.pipelines.sdk import ParameterFloat, ParameterString

__all__ = ["Parameters"]


@dataclass(frozen=True)
class Parameters:
    """Defaults are the config's; None where the pipeline has no such part."""

    pairs: ParameterString
    validation: ParameterString | None
    test: ParameterString | None
    prepare_instance: ParameterString
    training_instance: ParameterString
    evaluate_instance: ParameterString
    endpoint_instance: ParameterString | None
    minimum_bleu_long: ParameterFloat
    minimum_bleu_short_change: ParameterFloat
    approval: ParameterString

    @classmethod
    def of(cls, config: Config, target: Target) -> "Parameters":
        """Those of a config."""
        endpoint = config.endpoint
        machine = endpoint.instance_type if endpoint.enabled and not endpoint.serverless else None
        return cls(
            pairs=ParameterString("PairsUri", target.pairs_uri),
            validation=_optional("ValidationUri", target.validation_uri),
            test=_optional("TestUri", target.test_uri),
            prepare_instance=ParameterString(
                "PrepareInstanceType", config.preparation.instance_type
            ),
            training_instance=ParameterString(
                "TrainingInstanceType", config.training.instance_type
            ),
            evaluate_instance=ParameterString(
                "EvaluateInstanceType", config.evaluation.instance_type
            ),
            endpoint_instance=_optional("EndpointInstanceType", machine),
            minimum_bleu_long=ParameterFloat("MinimumBleuLong", config.gate.minimum_bleu_long),
            minimum_bleu_short_change=ParameterFloat(
                "MinimumBleuShortChange", config.gate.minimum_bleu_short_change
            ),
            approval=ParameterString(
                "ModelApprovalStatus",
                config.registry.approval_status,
                enum_values=["Approved", "PendingManualApproval", "Rejected"],
            ),
        )

    def __iter__(self) -> Iterator[ParameterString | ParameterFloat]:
        """Those that the pipeline has."""
        return (value for value in vars(self).values() if value is not None)


def _optional(name: str, value: str | None) -> ParameterString | None:
    return None if value is None else ParameterString(name, value)
