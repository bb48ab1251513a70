"""Endpoint configs: what may be in them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.local.control.control_client import ControlClient, open_control

INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlClient]:
    with open_control(tmp_path_factory.mktemp("control")) as control:
        control.model("model")
        yield control


def variant(name: str = "main", **members: Any) -> dict[str, Any]:
    return {"VariantName": name, "ModelName": "model", **(members or INSTANCES)}


def test_a_config_is_described_listed_and_deleted(control: ControlClient) -> None:
    arn = control.call(
        "CreateEndpointConfig", EndpointConfigName="one", ProductionVariants=[variant()]
    )["EndpointConfigArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/one"
    found = control.call("DescribeEndpointConfig", EndpointConfigName="one")
    assert found["ProductionVariants"] == [{**variant(), "InitialVariantWeight": 1.0}]
    listed = control.call("ListEndpointConfigs", NameContains="on")["EndpointConfigs"]
    assert [one["EndpointConfigArn"] for one in listed] == [arn]
    code, message = control.refusal(
        "CreateEndpointConfig", EndpointConfigName="one", ProductionVariants=[variant()]
    )
    assert (code, arn in message) == ("ValidationException", True)
    assert control.call("DeleteEndpointConfig", EndpointConfigName="one") == {}
    for operation in ("DescribeEndpointConfig", "DeleteEndpointConfig"):
        code, message = control.refusal(operation, EndpointConfigName="one")
        assert code == "ValidationException"
        assert message == f'Could not find endpoint configuration "{arn}".'


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ([variant(), variant()], "must be unique"),
        ([variant(ModelName="none", **INSTANCES)], 'Could not find model "arn:aws:sagemaker:'),
        ([{"VariantName": "main", **INSTANCES}], "ModelName is required"),
        ([variant(InstanceType="ml.m5.large")], "give InstanceType and InitialInstanceCount"),
        ([variant(InitialInstanceCount=1)], "give InstanceType and InitialInstanceCount"),
        ([variant(**INSTANCES, ServerlessConfig=SERVERLESS)], "not both"),
        ([variant(InstanceType="ml.huge", InitialInstanceCount=1)], "enum value set"),
        ([variant(InstanceType="ml.m5.large", InitialInstanceCount=0)], "'productionVariants.1"),
        ([variant(**INSTANCES, InitialVariantWeight=-1.0)], "-1.0' at 'productionVariants.1"),
        ([variant(**INSTANCES, InitialVariantWeight=0.0)], "a weight above 0"),
        ([variant(ServerlessConfig={**SERVERLESS, "MemorySizeInMB": 1500})], "got 1500"),
        ([variant(ServerlessConfig={**SERVERLESS, "MaxConcurrency": 201})], "axConcurrency' f"),
        (
            [variant(ServerlessConfig={**SERVERLESS, "ProvisionedConcurrency": 6})],
            "ProvisionedConcurrency 6 is greater than MaxConcurrency 5",
        ),
        ([], "'productionVariants' failed"),
    ],
)
def test_variants_that_make_no_sense_are_refused(
    control: ControlClient, variants: list[dict[str, Any]], said: str
) -> None:
    code, message = control.refusal(
        "CreateEndpointConfig", EndpointConfigName="bad", ProductionVariants=variants
    )
    assert code == "ValidationException"
    assert said in message


CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


@pytest.mark.parametrize(
    "members",
    [
        {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://a/b"}}},
        {"ShadowProductionVariants": [variant("shadow")]},
        {"DataCaptureConfig": CAPTURE},
        {"DataCaptureConfig": {**CAPTURE, "EnableCapture": True}},
    ],
)
def test_what_would_not_be_done_is_refused_by_name(
    control: ControlClient, members: dict[str, Any]
) -> None:
    _, message = control.refusal(
        "CreateEndpointConfig",
        EndpointConfigName="bad",
        ProductionVariants=[variant()],
        **members,
    )
    assert next(iter(members)) in message
    assert "the local cloud" in message


def test_capture_that_is_off_is_no_capture(control: ControlClient) -> None:
    control.call(
        "CreateEndpointConfig",
        EndpointConfigName="off",
        ProductionVariants=[variant()],
        DataCaptureConfig={**CAPTURE, "EnableCapture": False},
    )


def test_a_model_may_go_after_its_config(control: ControlClient) -> None:
    control.model("fleeting")
    control.call(
        "CreateEndpointConfig",
        EndpointConfigName="lasting",
        ProductionVariants=[{**variant(), "ModelName": "fleeting"}],
    )
    control.call("DeleteModel", ModelName="fleeting")
    assert control.call("DescribeEndpointConfig", EndpointConfigName="lasting")
