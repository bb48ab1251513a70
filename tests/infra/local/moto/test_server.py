"""moto's server, with SageMaker's requests answered by the local control plane.

Also covers `sagemaker_app` and `invocation_app`, the WSGI applications that answer them.
"""

import json
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.api import ApiCall, Document, ValidationError
from longspan.infra.local.control.invocations import (
    Invocation,
    InvocationResponse,
    model_error,
    validation_error,
)
from longspan.infra.local.moto.server import MotoServer
from tests.infra.local.moto.conftest import ACCOUNT, refusal


def test_sagemaker_is_answered_by_who_is_asked(server: Any) -> None:
    started, client = server
    calls: list[ApiCall] = []

    def handle(call: ApiCall) -> Document:
        calls.append(call)
        name = call.request["ModelName"]
        if name == "bad":
            raise ValidationError("no such ü")
        return {"ModelArn": call.arn(f"model/{name}")}

    started.answer_sagemaker(handle)
    sagemaker = client("sagemaker", "eu-west-1")
    found = sagemaker.describe_model(ModelName="a")
    assert found["ModelArn"] == f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model/a"
    assert calls[0].operation == "DescribeModel"
    assert calls[0].caller.startswith("arn:aws:")
    error = refusal(sagemaker.describe_model, ModelName="bad")
    assert (error["Code"], error["status"]) == ("ValidationException", 400)
    assert error["Message"] == "no such ü"


def test_a_defect_is_an_internal_failure_and_logged(
    server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    started, client = server

    def handle(call: ApiCall) -> Document:
        raise RuntimeError("a defect")

    started.answer_sagemaker(handle)
    error = refusal(client("sagemaker").list_models)
    assert (error["Code"], error["status"]) == ("InternalFailure", 500)
    assert error["Message"] == "RuntimeError: a defect"
    assert "ListModels failed" in caplog.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"MaxResults": NaN}', "NaN is not a value of JSON"),
        (b'{"MaxResults": [-Infinity]}', "-Infinity is not a value of JSON"),
    ],
)
def test_a_body_that_is_no_object_is_refused(server: Any, body: bytes, said: str) -> None:
    started, client = server
    started.answer_sagemaker(lambda call: {})
    order = urllib.request.Request(
        client("s3").meta.endpoint_url,
        body,
        {
            "X-Amz-Target": "SageMaker.ListModels",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4 Credential=A/20261124/us-east-1/sagemaker/aws4_request, ",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(order)
    with caught.value as error:
        assert error.code == 400
        content = json.loads(error.read())
    assert content["__type"] == "SerializationException"
    assert said in content["message"]


def test_a_port_that_is_taken_or_is_none_is_named(server: Any) -> None:
    _, client = server
    port = int(client("s3").meta.endpoint_url.rpartition(":")[2])
    with pytest.raises(LocalCloudError, match=f"got {port}: .*already in use"):
        MotoServer(port)
    with pytest.raises(LocalCloudError, match="from 1 to 65535, or 0 for any, got 65536"):
        MotoServer(65536)


def test_only_this_machine_reaches_it(server: Any) -> None:
    _, client = server
    assert client("s3").meta.endpoint_url.startswith("http://127.0.0.1:")


def test_changes_are_told_and_looks_are_not(server: Any) -> None:
    started, client = server
    seen: list[tuple[str, str]] = []
    started.watch(lambda service, region: seen.append((service, region)), "only-looks")
    s3 = client("s3", "eu-west-1")
    place = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="told", CreateBucketConfiguration=place)
    s3.list_buckets()
    assert seen == [("s3", "eu-west-1")]
    # A link that was signed is S3's.
    link = s3.generate_presigned_url("put_object", Params={"Bucket": "told", "Key": "a"})
    urllib.request.urlopen(urllib.request.Request(link, b"x", method="PUT")).close()
    assert seen[1][0] == "s3"
    seen.clear()
    looks = Config(user_agent_extra="only-looks")
    client("iam").meta.config.merge(looks)
    session = boto3.Session("a", "b", region_name="us-east-1")
    url = s3.meta.endpoint_url
    session.client("iam", endpoint_url=url, config=looks).list_users()
    assert seen == []
    s3.delete_object(Bucket="told", Key="a")
    s3.delete_bucket(Bucket="told")
    assert len(seen) == 2


def echo(invocation: Invocation) -> InvocationResponse:
    if invocation.body == b"bad":
        return model_error(invocation, 400, "it is bad", "variant/i-1")
    if invocation.endpoint == "none":
        return validation_error("Endpoint none not found.")
    custom = invocation.header("Custom-Attributes") or ""
    headers = {
        "Content-Type": f"{invocation.content_type}; {invocation.accept}",
        "x-Amzn-Invoked-Production-Variant": f"{invocation.endpoint}-{invocation.region}",
        "X-Amzn-SageMaker-Custom-Attributes": custom,
    }
    return InvocationResponse(200, headers, invocation.body)


@pytest.fixture
def runtime(server: Any) -> Any:
    started, client = server
    started.answer_invocations(echo)
    return client("sagemaker-runtime", "eu-west-1")


@pytest.mark.parametrize("body", [b"", b"hello", "ü".encode(), b"\xff\x00\xfe", b"a=b&c", b"{}"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_an_endpoint_gets_the_bytes_that_were_sent(runtime: Any, body: bytes, kind: str) -> None:
    answer = runtime.invoke_endpoint(
        EndpointName="one", Body=body, ContentType=kind, Accept="a/b", CustomAttributes="c=d"
    )
    assert answer["Body"].read() == body
    assert answer["ContentType"] == f"{kind}; a/b"
    assert answer["InvokedProductionVariant"] == "one-eu-west-1"
    assert answer["CustomAttributes"] == "c=d"


@pytest.mark.parametrize("size", [0, 5, 200_000])
def test_an_answer_can_be_streamed(runtime: Any, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    answer = runtime.invoke_endpoint_with_response_stream(
        EndpointName="one", Body=body, ContentType="a/b", Accept="c/d"
    )
    assert answer["ContentType"] == "a/b; c/d"
    assert b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"]) == body


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
def test_errors_are_answers_of_both_operations(runtime: Any, operation: str) -> None:
    call = getattr(runtime, operation)
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        call(EndpointName="one", Body=b"bad")
    assert caught.value.response["OriginalStatusCode"] == 400
    assert caught.value.response["OriginalMessage"] == "it is bad"
    error = refusal(call, EndpointName="none", Body=b"")
    assert (error["Code"], error["Message"]) == ("ValidationError", "Endpoint none not found.")


def test_a_body_is_at_most_as_long_as_on_aws(runtime: Any) -> None:
    most = 6 * 1024 * 1024
    runtime.invoke_endpoint(EndpointName="one", Body=bytes(most))
    error = refusal(runtime.invoke_endpoint, EndpointName="one", Body=bytes(most + 1))
    assert error["Code"] == "ValidationError"
    assert "less than or equal to 6291456" in error["Message"]


def test_asynchronous_invocations_are_refused(runtime: Any) -> None:
    error = refusal(runtime.invoke_endpoint_async, EndpointName="one", InputLocation="s3://a/b")
    assert error["Code"] == "ValidationError"
    assert "use InvokeEndpoint" in error["Message"]


def test_who_does_not_sign_is_refused(runtime: Any) -> None:
    url = f"{runtime.meta.endpoint_url}/endpoints/one/invocations"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, b"x"))
    with caught.value as error:
        assert error.code == 403
        assert error.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


def test_a_bucket_may_have_the_name_of_the_path(server: Any, runtime: Any) -> None:
    s3 = server[1]("s3")
    s3.create_bucket(Bucket="endpoints")
    begun = s3.create_multipart_upload(Bucket="endpoints", Key="one/invocations")
    assert begun["UploadId"]
    s3.abort_multipart_upload(Bucket="endpoints", Key="one/invocations", UploadId=begun["UploadId"])
    s3.delete_bucket(Bucket="endpoints")
