"""Operations that moto lacks are errors of AWS, in the protocol of their service."""

import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.responses import method_names_from_class
from moto.core.utils import camelcase_to_underscores
from moto.events.responses import EventsHandler
from moto.iam.responses import IamResponse
from moto.logs.responses import LogsResponse
from moto.sts.responses import TokenResponse

from tests.infra.local.moto.conftest import refusal


def lacking(service: str, responses: Any) -> list[str]:
    """The operations of a service that moto does not have."""
    names = boto3.Session(region_name="us-east-1").client(service).meta.service_model
    has = method_names_from_class(responses)
    return [n for n in names.operation_names if camelcase_to_underscores(n) not in has]


@pytest.mark.parametrize(
    ("service", "responses", "code"),
    [
        ("iam", IamResponse, "InvalidAction"),
        ("sts", TokenResponse, "InvalidAction"),
        ("logs", LogsResponse, "UnknownOperationException"),
        ("events", EventsHandler, "UnknownOperationException"),
    ],
)
def test_each_operation_that_moto_lacks_is_refused_by_name(
    server: Any, service: str, responses: Any, code: str
) -> None:
    _, client = server
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    session = boto3.Session("key", "secret", region_name="us-east-1")
    asked = session.client(service, endpoint_url=client("s3").meta.endpoint_url, config=config)
    names = lacking(service, responses)
    assert names or service == "sts"
    for name in names:
        if asked.meta.service_model.operation_model(name).has_event_stream_output:
            continue  # its host has a prefix
        with pytest.raises(ClientError) as caught:
            asked._make_api_call(name, {})
        error = caught.value.response["Error"]
        assert error["Code"] == code, name
        assert error["Message"] == f"The local cloud has no {name} of {service}"


@pytest.mark.parametrize(
    ("service", "call", "request_", "code", "status"),
    [
        ("ec2", "describe_vpn_concentrators", {}, "InvalidAction", 400),
        ("lambda", "list_capacity_providers", {}, "UnknownOperationException", 404),
        ("route53", "get_checker_ip_ranges", {}, "UnknownOperationException", 404),
        ("cloudwatch", "describe_anomaly_detectors", {}, "UnknownOperationException", 400),
    ],
)
def test_every_protocol_has_its_form(
    server: Any, service: str, call: str, request_: dict[str, Any], code: str, status: int
) -> None:
    _, client = server
    error = refusal(getattr(client(service), call), **request_)
    assert (error["Code"], error["status"]) == (code, status)
    assert error["Message"].startswith("The local cloud has no ")


def test_an_error_in_cbor(server: Any) -> None:
    _, client = server
    url = client("s3").meta.endpoint_url
    order = urllib.request.Request(
        f"{url}/service/GraniteServiceVersion20100801/operation/PutInsightRule",
        b"\xa0",
        {
            "smithy-protocol": "rpc-v2-cbor",
            "Content-Type": "application/cbor",
            "Authorization": "AWS4 Credential=A/20261124/us-east-1/monitoring/aws4_request, ",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(order)
    with caught.value as error:
        content, kind = error.read(), error.headers["Content-Type"]
        assert error.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert kind == "application/cbor"
    # botocore reads it as it would that of AWS.
    from botocore.parsers import create_parser

    parser = create_parser("smithy-rpc-v2-cbor")
    shape = client("cloudwatch").meta.service_model.operation_model("PutInsightRule").output_shape
    said = parser.parse(
        {"status_code": error.code, "headers": dict(error.headers), "body": content}, shape
    )
    assert said["Error"]["Code"] == "UnknownOperationException"
    assert said["Error"]["Message"] == "The local cloud has no PutInsightRule of monitoring"


@pytest.mark.parametrize("service", ["iam", "logs", "s3"])
def test_a_defect_of_moto_is_an_internal_failure(
    server: Any, service: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = server

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a <defect>")

    operations = {
        "iam": ("moto.iam.models.IAMBackend.list_users", "list_users"),
        "logs": ("moto.logs.models.LogsBackend.describe_log_groups", "describe_log_groups"),
        "s3": ("moto.s3.models.S3Backend.list_buckets", "list_buckets"),
    }
    place, call = operations[service]
    monkeypatch.setattr(place, fail)
    error = refusal(getattr(client(service), call))
    assert (error["Code"], error["status"]) == ("InternalFailure", 500)
    assert error["Message"] == "RuntimeError: a <defect>"
    assert "RuntimeError: a <defect>" in caplog.text


def test_an_object_that_does_not_exist_has_no_error_in_its_head(server: Any) -> None:
    _, client = server
    s3 = client("s3")
    s3.create_bucket(Bucket="empty")
    error = refusal(s3.head_object, Bucket="empty", Key="none")
    assert (error["Code"], error["status"]) == ("404", 404)
    assert refusal(s3.get_object, Bucket="empty", Key="none")["Code"] == "NoSuchKey"
    s3.delete_bucket(Bucket="empty")
