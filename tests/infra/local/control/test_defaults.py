"""Members that Describe operations show though no request gave them."""

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from longspan.infra.local.control import defaults
from longspan.infra.local.control.defaults import with_defaults


def test_an_answer_keeps_its_values_and_gets_those_that_it_lacks() -> None:
    job = {
        "OutputDataConfig": {"S3OutputPath": "s3://a/b", "KmsKeyId": "key"},
        "EnableNetworkIsolation": True,
        "InputDataConfig": [
            {"DataSource": {"S3DataSource": {"S3Uri": "s3://a"}}, "CompressionType": "Gzip"},
            {"DataSource": {"FileSystemDataSource": {}}},
        ],
    }
    found = with_defaults("DescribeTrainingJob", job)
    assert found["OutputDataConfig"] == {
        "S3OutputPath": "s3://a/b",
        "KmsKeyId": "key",
        "CompressionType": "GZIP",
    }
    assert found["EnableNetworkIsolation"] is True
    assert found["EnableInterContainerTrafficEncryption"] is False
    first, second = found["InputDataConfig"]
    assert (first["CompressionType"], second["CompressionType"]) == ("Gzip", "None")
    source = {"S3Uri": "s3://a", "S3DataDistributionType": "FullyReplicated"}
    assert first["DataSource"] == {"S3DataSource": source}
    assert second["DataSource"] == {"FileSystemDataSource": {}}
    # The stored document is not changed.
    assert job["OutputDataConfig"] == {"S3OutputPath": "s3://a/b", "KmsKeyId": "key"}


def test_a_structure_that_an_answer_need_not_have_is_not_made() -> None:
    found = with_defaults("DescribeProcessingJob", {})
    assert found == {"StoppingCondition": {"MaxRuntimeInSeconds": 86400}}


def fits(value: object, shape: Shape) -> bool:
    if shape.type_name == "structure":
        assert isinstance(value, dict)
        return all(fits(item, shape.members[name]) for name, item in value.items())
    if shape.type_name == "list":
        assert isinstance(value, list)
        return all(fits(item, shape.member) for item in value)
    if isinstance(value, list):  # of a structure
        return all(fits(item, shape) for item in value)
    if isinstance(value, str):
        return shape.type_name == "string" and (not shape.enum or value in shape.enum)
    kinds: dict[type, tuple[str, ...]] = {
        bool: ("boolean",),
        int: ("integer", "long"),
        float: ("float",),
        dict: ("map",),
    }
    return shape.type_name in kinds[type(value)]


@pytest.mark.parametrize("operation", sorted(defaults._DEFAULTS))
def test_the_values_are_of_aws_api(operation: str) -> None:
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    shape = model.operation_model(operation).output_shape

    def of(found: Shape, values: dict[str, object]) -> None:
        for name, value in values.items():
            member = found.members[name]
            if isinstance(value, list) and member.type_name == "structure":
                [inner] = value
                of(member, inner)
            elif isinstance(value, list):
                [inner] = value
                of(member.member, inner)
            elif isinstance(value, dict) and member.type_name == "structure":
                of(member, value)
            else:
                assert fits(value, member), name

    of(shape, dict(defaults._DEFAULTS[operation]))
