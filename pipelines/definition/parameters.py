"""Parameters of the pipeline: values that may change from run to run without a new definition."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from longspan.pipelines.config import Config
from longspan.pipelines.definition.requirements import requirements_of
from longspan.pipelines.definition.sdk import ParameterFloat, ParameterString
from longspan.pipelines.definition.target import Target

__all__ = ["Parameters"]


@dataclass(frozen=True)
class Parameters:
    """Parameters with the config's values as defaults; None for parts the pipeline lacks."""

    pairs: ParameterString
    validation: ParameterString | None
    test: ParameterString | None
    prepare_instance: ParameterString
    training_instance: ParameterString
    evaluate_instance: ParameterString
    endpoint_instance: ParameterString | None
    minimums: Mapping[str, ParameterFloat]  # by their names in `GateSection.minimums`
    approval: ParameterString

    @classmethod
    def of(cls, config: Config, target: Target) -> "Parameters":
        """Return the parameters of a config."""
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
            minimums=_minimums(config),
            approval=ParameterString(
                "ModelApprovalStatus",
                config.registry.approval_status,
                enum_values=["Approved", "PendingManualApproval", "Rejected"],
            ),
        )

    def __iter__(self) -> Iterator[ParameterString | ParameterFloat]:
        """Iterate over the parameters that the pipeline has."""
        # In the order of the fields, which is that of the definition.
        for value in vars(self).values():
            if value is self.minimums:
                yield from self.minimums.values()
            elif value is not None:
                yield value


def _minimums(config: Config) -> dict[str, ParameterFloat]:
    """Return the minimums that the gate checks; `minimum_bleu_long` becomes `MinimumBleuLong`."""
    judged = {requirement.minimum for requirement in requirements_of(config)}
    return {
        name: ParameterFloat(name.title().replace("_", ""), value)
        for name, value in config.gate.minimums.items()
        if name in judged
    }


def _optional(name: str, value: str | None) -> ParameterString | None:
    return None if value is None else ParameterString(name, value)
