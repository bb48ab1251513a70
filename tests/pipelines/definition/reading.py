"""A pipeline definition as AWS reads it: references, placeholders, requests."""

from collections.abc import Iterator, Mapping
from typing import Any

OPERATIONS: Mapping[str, str] = {
    "Processing": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "Tuning": "CreateHyperParameterTuningJob",
    "Model": "CreateModel",
    "RegisterModel": "CreateModelPackage",
    "EndpointConfig": "CreateEndpointConfig",
    "Endpoint": "CreateEndpoint",
}
# Names that the service makes up.
NAMES: Mapping[str, str] = {
    "Processing": "ProcessingJobName",
    "Training": "TrainingJobName",
    "Tuning": "HyperParameterTuningJobName",
}


def all_steps(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Also those within conditions."""
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            for branch in ("IfSteps", "ElseSteps"):
                yield from all_steps(step["Arguments"][branch])


def references(value: Any) -> Iterator[str]:
    """What every `Get` names, wherever it stands."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            yield value["Get"]
        else:
            for item in value.values():
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def resolved(value: Any, parameters: Mapping[str, Any]) -> Any:
    """With values in the places of expressions: the parameters' own, else a text."""
    if isinstance(value, list):
        return [resolved(item, parameters) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Get"}:
        return _got(value["Get"], parameters)
    if set(value) == {"Std:Join"}:
        join = value["Std:Join"]
        return join["On"].join(str(resolved(item, parameters)) for item in join["Values"])
    if set(value) == {"Std:JsonGet"}:
        return 1.5
    return {name: resolved(item, parameters) for name, item in value.items()}


def _got(name: str, parameters: Mapping[str, Any]) -> Any:
    first, rest = name.split(".", 1)
    if first == "Parameters":
        return parameters[rest]
    return "s3://bucket/key" if rest.endswith(("S3Uri", "S3ModelArtifacts")) else "name-of-it"


def request_of(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the step asks of SageMaker."""
    request = dict(resolved(step["Arguments"], parameters))
    if step["Type"] in NAMES:
        request[NAMES[step["Type"]]] = "name"
    return request
