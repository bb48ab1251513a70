"""Models: what they consist of, and what is refused when they are created."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.local.control.control_client import ControlClient, open_control


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlClient]:
    with open_control(tmp_path_factory.mktemp("control")) as control:
        yield control


def test_a_model_is_described_listed_and_deleted(control: ControlClient) -> None:
    uri = control.upload("one/model.tar.gz")
    container = {"Image": "image", "ModelDataUrl": uri, "Environment": {"A": "1"}}
    vpc = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    arn = control.call(
        "CreateModel",
        ModelName="one",
        ExecutionRoleArn=control.account.role_arn,
        PrimaryContainer=container,
        VpcConfig=vpc,
        EnableNetworkIsolation=True,
    )["ModelArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:model/one"
    found = control.call("DescribeModel", ModelName="one")
    assert found["PrimaryContainer"] == {**container, "Mode": "SingleModel"}
    assert found["VpcConfig"] == vpc
    assert found["EnableNetworkIsolation"] is True
    listed = list(control.pages("ListModels", "Models", MaxResults=1, NameContains="ONE"))
    assert [model["ModelArn"] for model in listed] == [arn]
    assert control.call("DeleteModel", ModelName="one") == {}
    for operation in ("DescribeModel", "DeleteModel"):
        code, message = control.refusal(operation, ModelName="one")
        assert (code, message) == ("ValidationException", f'Could not find model "{arn}".')


def test_a_name_is_taken_once(control: ControlClient) -> None:
    arn = control.model("twice")
    request = {
        "ModelName": "twice",
        "ExecutionRoleArn": control.account.role_arn,
        "PrimaryContainer": {"Image": "other"},
    }
    code, message = control.refusal("CreateModel", **request)
    assert code == "ValidationException"
    assert message == f'Cannot create already existing model "{arn}".'
    found = control.call("DescribeModel", ModelName="twice")
    assert found["PrimaryContainer"]["Image"] == "image"
    control.call("CreateModel", region="eu-west-1", **request)  # names are a region's


IMAGE = {"Image": "image"}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "Give a PrimaryContainer"),
        ({"PrimaryContainer": {}}, "no Image"),
        ({"PrimaryContainer": IMAGE, "Containers": [IMAGE]}, "not both"),
        ({"Containers": [IMAGE, IMAGE]}, "expected one container, got 2"),
        (
            {"PrimaryContainer": {**IMAGE, "Mode": "MultiModel"}},
            "expected SingleModel, got MultiModel",
        ),
        (
            {"PrimaryContainer": {**IMAGE, "ModelDataUrl": "https://a/b"}},
            "expected s3://bucket/key",
        ),
        (
            {"PrimaryContainer": {**IMAGE, "ModelDataUrl": "s3://no-such-bucket/a"}},
            "Could not find model data at s3://no-such-bucket/a",
        ),
        (
            {
                "PrimaryContainer": {
                    **IMAGE,
                    "ModelDataSource": {
                        "S3DataSource": {
                            "S3Uri": "s3://a/b",
                            "S3DataType": "S3Prefix",
                            "CompressionType": "Gzip",
                        }
                    },
                }
            },
            "got S3Prefix with Gzip",
        ),
        ({"PrimaryContainer": {"ModelPackageName": "none/1"}}, "Model Package none/1 does not"),
        ({"PrimaryContainer": IMAGE, "ExecutionRoleArn": None}, "ExecutionRoleArn is required"),
        (
            {
                "PrimaryContainer": IMAGE,
                "ExecutionRoleArn": "arn:aws:iam::123456789012:role/none",
            },
            "Could not assume role",
        ),
        ({"PrimaryContainer": IMAGE, "ModelName": "under_score"}, "'modelName' failed"),
    ],
)
def test_what_cannot_be_served_is_refused(
    control: ControlClient, request_: dict[str, Any], said: str
) -> None:
    request = {"ModelName": "bad", "ExecutionRoleArn": control.account.role_arn, **request_}
    code, message = control.refusal("CreateModel", **request)
    assert code == "ValidationException"
    assert said in message


def test_data_below_a_prefix_must_be_there(control: ControlClient) -> None:
    def source(uri: str) -> dict[str, Any]:
        place = {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"}
        return {**IMAGE, "ModelDataSource": {"S3DataSource": place}}

    request = {"ModelName": "prefix", "ExecutionRoleArn": control.account.role_arn}
    control.upload("prefix/config.json")
    empty = f"s3://{control.account.bucket}/nothing/"
    _, message = control.refusal("CreateModel", **request, PrimaryContainer=source(empty))
    assert message == f"Could not find model data at {empty}."
    there = f"s3://{control.account.bucket}/prefix/"
    control.call("CreateModel", **request, PrimaryContainer=source(there))


def test_a_package_stands_for_its_container(control: ControlClient) -> None:
    control.call("CreateModelPackageGroup", ModelPackageGroupName="group")
    package = control.call(
        "CreateModelPackage",
        ModelPackageGroupName="group",
        InferenceSpecification={
            "Containers": [{"Image": "image", "ModelDataUrl": control.upload("p/model.tar.gz")}],
            "SupportedContentTypes": ["a/b"],
            "SupportedResponseMIMETypes": ["a/b"],
        },
    )["ModelPackageArn"]
    request = {"ModelName": "by-package", "ExecutionRoleArn": control.account.role_arn}
    _, message = control.refusal(
        "CreateModel", **request, PrimaryContainer={**IMAGE, "ModelPackageName": package}
    )
    assert "either ModelPackageName or Image" in message
    control.call("CreateModel", **request, Containers=[{"ModelPackageName": package}])
    found = control.call("DescribeModel", ModelName="by-package")
    [container] = found["Containers"]
    assert container == {"ModelPackageName": package, "Environment": {}, "Mode": "SingleModel"}
    bare = control.call("CreateModelPackage", ModelPackageGroupName="group")["ModelPackageArn"]
    other = {**request, "ModelName": "bare", "PrimaryContainer": {"ModelPackageName": bare}}
    assert "has no InferenceSpecification" in control.refusal("CreateModel", **other)[1]
