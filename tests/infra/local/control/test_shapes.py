"""SageMaker's own model as the local cloud reads it, against botocore's own reading."""

from typing import Any

import pytest
from botocore.model import Shape
from botocore.session import Session

from longspan.infra.local.control import shapes
from longspan.infra.local.control.api import ValidationError

CREATE = "CreateTrainingJob"


def request(**members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "job",
        "RoleArn": "arn:aws:iam::123456789012:role/jobs",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **members,
    }


def refusal(request_: dict[str, Any], operation: str = CREATE) -> str:
    with pytest.raises(ValidationError) as caught:
        shapes.validate(request_, shapes.operation(operation).input_shape)
    return str(caught.value)


def test_a_request_that_is_right_passes() -> None:
    shapes.validate(request(), shapes.operation(CREATE).input_shape)


def test_a_refusal_is_in_aws_words() -> None:
    assert refusal(request(TrainingJobName="under_score")) == (
        "1 validation error detected: Value 'under_score' at 'trainingJobName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
        "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"TrainingJobName": None}, "Value null at 'trainingJobName'"),
        ({"TrainingJobName": "x" * 64}, "length less than or equal to 63"),
        ({"TrainingJobName": 5}, "Member must be of type string"),
        ({"TrainingJobName": True}, "Member must be of type string"),
        ({"ResourceConfig": []}, "Value at 'resourceConfig' failed"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: Member must "
            "have value greater than or equal to 1",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": True}}, "Member must be of type integer"),
        (
            {"ResourceConfig": {"InstanceType": "ml.q9.tiny", "InstanceCount": 1}},
            "Value 'ml.q9.tiny' at 'resourceConfig.instanceType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [",
        ),
        ({"Tags": [{"Key": "a"}]}, "Value null at 'tags.1.member.value'"),
        ({"Tags": [{"Key": "a", "Value": "b"}] * 51}, "at 'tags' failed"),
        ({"HyperParameters": {"a": 1}}, "Value at 'hyperParameters.a.member' failed"),
        ({"HyperParameters": {"a" * 300: "1"}}, "'hyperParameters.key' failed"),
        ({"EnableNetworkIsolation": "true"}, "Member must be of type boolean"),
    ],
)
def test_every_kind_of_breach_is_found(members: dict[str, Any], said: str) -> None:
    assert said in refusal(request(**members))


def test_all_breaches_are_listed() -> None:
    said = refusal({"TrainingJobName": "_"})
    assert said.startswith("3 validation errors detected: ")
    assert said.count("; ") == 2


def test_times_are_numbers() -> None:
    assert "of type timestamp" in refusal({"CreationTimeAfter": "today"}, "ListModels")
    shapes.validate({"CreationTimeAfter": 1.5}, shapes.operation("ListModels").input_shape)


def test_a_member_without_a_value_is_none() -> None:
    """JSON clients send null for what they leave out."""
    shapes.validate(request(Tags=None), shapes.operation(CREATE).input_shape)


def test_a_projection_holds_what_the_shape_has() -> None:
    shape = shapes.operation("DescribeModel").output_shape
    document = {"ModelName": "a", "_Private": 1, "Unknown": 2, "VpcConfig": None}
    assert shapes.project(document, shape) == {"ModelName": "a"}


def test_strings_are_found_by_their_shape_wherever_they_are() -> None:
    role, other = (f"arn:aws:iam::123456789012:role/{name}" for name in ("a", "b"))
    tuning = {
        "TrainingJobDefinition": {"RoleArn": role},
        "TrainingJobDefinitions": [{"RoleArn": other}, {"RoleArn": role}, "no structure"],
    }
    assert shapes.strings("CreateHyperParameterTuningJob", tuning, "RoleArn") == [role, other]
    assert shapes.strings("CreateModel", {"ExecutionRoleArn": role}, "RoleArn") == [role]
    assert shapes.strings("CreateModel", {"ExecutionRoleArn": 1}, "RoleArn") == []
    assert shapes.strings("NoSuchOperation", {"RoleArn": role}, "RoleArn") == []


def _patterns(shape: Shape, seen: set[str]) -> set[str]:
    if shape.name in seen:
        return set()
    seen.add(shape.name)
    found = {shape.metadata["pattern"]} if "pattern" in shape.metadata else set()
    inner: list[Shape] = list(getattr(shape, "members", {}).values())
    if shape.type_name == "list":
        inner = [shape.member]
    elif shape.type_name == "map":
        inner = [shape.key, shape.value]
    return found.union(*(_patterns(one, seen) for one in inner))


def test_every_pattern_of_sagemaker_can_be_read() -> None:
    """They are Java's; one that cannot be read would answer a request with an internal error."""
    service = Session().get_service_model("sagemaker")
    seen: set[str] = set()
    patterns = set().union(
        *(
            _patterns(service.operation_model(name).input_shape, seen)
            for name in service.operation_names
            if service.operation_model(name).input_shape is not None
        )
    )
    assert len(patterns) > 100
    for pattern in patterns:
        shapes._compiled(pattern)
