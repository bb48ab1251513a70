"""What of moto's inside is touched: a new version that moves it fails here, by name.

Fix the module that the test names, then look whether the new moto needs the hook at all.
"""

import inspect
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import settings
from moto.core.responses import BaseResponse
from moto.iam import access_control
from moto.iam.models import get_account_id_from, iam_backends
from moto.logs.responses import LogsResponse
from moto.s3.exceptions import BucketAccessDeniedError, S3AccessDeniedError
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.control.api import Call, Document, ValidationError
from longspan.infra.local.control.invocations import (
    Answer,
    Invocation,
    model_error,
    validation_error,
)
from longspan.infra.local.moto import state as moto_state
from longspan.infra.local.moto.logs import complete_log_filter
from longspan.infra.local.moto.server import MotoServer

OLD = "AKIAOLDOLDOLDOLDOLDO"
ACCOUNT = "123456789012"


def test_moto_is_the_version_that_the_hooks_were_written_for() -> None:
    assert version("moto") == "5.2.5"


def test_policies_are_checked_where_the_check_is_replaced() -> None:
    """`moto_access`."""
    assert hasattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT")
    base = access_control.IAMRequestBase
    for name, parameters in {
        "check_signature": ["self"],
        "check_action_permitted": ["self", "resource"],
        "_create_aws_request": ["self"],
        "_is_assuming_role_operation": ["self", "resource_arn"],
        "_check_role_trust_relationship": ["self", "role_arn"],
    }.items():
        assert list(inspect.signature(getattr(base, name)).parameters) == parameters, name
    for name, parameters in {
        "_raise_invalid_access_key": ["self", "_"],
        "_raise_signature_does_not_match": ["self"],
    }.items():
        found = getattr(access_control.IAMRequest, name)
        assert list(inspect.signature(found).parameters) == parameters, name
    assert callable(access_control.IAMPolicyStatement._check_principal)
    assert access_control.IAMPolicy('{"Statement": []}')._policy_json == {"Statement": []}
    made = inspect.getsource(base.__init__)
    for name in ("_action", "_access_key", "_data", "_headers", "_region"):
        assert f"self.{name} = " in made, name
    checked = inspect.getsource(BaseResponse._authenticate_and_authorize_action)
    assert "settings.INITIAL_NO_AUTH_ACTION_COUNT" in checked
    assert "iam_request.check_action_permitted(resource)" in checked
    assert "path=path," in checked  # by name, as the hook of `__init__` takes it
    assert "headers=self.headers," in checked
    assert BucketAccessDeniedError("one").code == S3AccessDeniedError().code == "AccessDenied"
    assert sts_backends[ACCOUNT]["aws"].get_caller_identity("key", "us-east-1")[2] == ACCOUNT
    assert get_account_id_from("nobody's") == ACCOUNT


def test_state_is_where_it_is_put_back() -> None:
    """`moto_state`."""
    assert isinstance(iam_backends[ACCOUNT]["aws"].access_keys, dict)
    assert hasattr(s3_backends[ACCOUNT]["aws"], "buckets")


@pytest.fixture
def server() -> Iterator[tuple[MotoServer, Callable[..., Any]]]:
    """A server, and boto3 clients of it, which do not try again."""
    started = MotoServer()
    url = started.start()
    once = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})

    def client(service: str, region: str = "us-east-1") -> Any:
        session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=region)
        return session.client(service, endpoint_url=url, config=once)

    yield started, client
    started.stop()


def refusal(call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    response = caught.value.response
    return {**response["Error"], "status": response["ResponseMetadata"]["HTTPStatusCode"]}


def test_sagemaker_is_answered_by_who_is_asked(server: Any) -> None:
    started, client = server
    calls: list[Call] = []

    def handle(call: Call) -> Document:
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

    def handle(call: Call) -> Document:
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
    with pytest.raises(LocalCloudError, match=f"came {port}: .*already in use"):
        MotoServer(port)
    with pytest.raises(LocalCloudError, match="from 1 to 65535, or 0 for any, came 65536"):
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


def test_an_objects_history_and_a_keys_secret_can_be_set(server: Any) -> None:
    _, client = server
    s3, iam = client("s3"), client("iam")
    s3.create_bucket(Bucket="old")
    s3.put_object(Bucket="old", Key="a", Body=b"x")
    moto_state.set_object_history("old", "a", '"abc-2"', "2020-01-02T03:04:05+00:00")
    found = s3.head_object(Bucket="old", Key="a")
    assert (found["ETag"], found["LastModified"].year) == ('"abc-2"', 2020)
    s3.delete_object(Bucket="old", Key="a")
    s3.delete_bucket(Bucket="old")
    iam.create_user(UserName="old")
    created = iam.create_access_key(UserName="old")["AccessKey"]["AccessKeyId"]
    moto_state.set_access_key(created, OLD, "secret")
    assert moto_state.secret_of(OLD) == "secret"
    (key,) = iam.list_access_keys(UserName="old")["AccessKeyMetadata"]
    assert key["AccessKeyId"] == OLD
    iam.delete_access_key(UserName="old", AccessKeyId=OLD)
    iam.delete_user(UserName="old")


def echo(invocation: Invocation) -> Answer:
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
    return Answer(200, headers, invocation.body)


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


def test_a_filter_of_log_events_looks_at_the_streams_that_it_names(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LogsResponse, "filter_log_events", LogsResponse.filter_log_events)
    complete_log_filter()
    logs = server[1]("logs")
    now = int(time.time() * 1000)
    logs.create_log_group(logGroupName="filtered")
    for number, stream in enumerate(("a/1", "a/2", "ab/1")):
        logs.create_log_stream(logGroupName="filtered", logStreamName=stream)
        events = [{"timestamp": now + 10 * n - number, "message": f"{stream} {n}"} for n in (0, 1)]
        logs.put_log_events(logGroupName="filtered", logStreamName=stream, logEvents=events)

    def found(**request: Any) -> list[str]:
        answer = logs.filter_log_events(logGroupName="filtered", **request)
        return [event["message"] for event in answer["events"]]

    assert found(logStreamNamePrefix="a/") == ["a/2 0", "a/1 0", "a/2 1", "a/1 1"]
    assert found(logStreamNamePrefix="none/") == []
    assert found(logStreamNames=["ab/1"]) == ["ab/1 0", "ab/1 1"]
    assert found(logStreamNamePrefix="a/1", startTime=now + 5) == ["a/1 1"]
    assert len(found()) == 6
    error = refusal(logs.filter_log_events, logGroupName="none", logStreamNamePrefix="a")
    assert error["Code"] == "ResourceNotFoundException"
    logs.delete_log_group(logGroupName="filtered")


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


def test_nobody_else_touches_motos_inside() -> None:
    folder = Path(moto_state.__file__).parent
    touching = {path.name for path in folder.rglob("*.py") if "from moto" in path.read_text()}
    assert touching == {"moto_access.py", "moto_logs.py", "moto_server.py", "moto_state.py"}
