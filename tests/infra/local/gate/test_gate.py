"""Who can send requests to a local cloud, tried over HTTP with boto3 and without it."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.infra.local.conftest import RunningCloud

ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
ANYBODY = "AWS4-HMAC-SHA256 Credential={key}/20261201/us-east-1/{service}/aws4_request, " + (
    "SignedHeaders=host, Signature=0"
)


def send(
    cloud: RunningCloud,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> tuple[int, Mapping[str, str], bytes]:
    """Send a request without a client of AWS; `Host` among the headers replaces the right one."""
    address = urlsplit(cloud.environment["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    connection.request(method, path, body, dict(headers or {}))
    answer = connection.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return found


def clients(cloud: RunningCloud, *credentials: str) -> Callable[..., Any]:
    session = boto3.Session(*credentials, region_name="us-east-1")
    url = cloud.environment["AWS_ENDPOINT_URL"]
    return lambda service, config=ONCE: session.client(service, endpoint_url=url, config=config)


def administrator(cloud: RunningCloud) -> tuple[str, str]:
    return cloud.environment["AWS_ACCESS_KEY_ID"], cloud.environment["AWS_SECRET_ACCESS_KEY"]


def code(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture(scope="module", params=[(), ("--iam",)], ids=["all", "iam"])
def gated(request: Any, tmp_path_factory: Any, launch_module: Any) -> RunningCloud:
    started: RunningCloud = launch_module(tmp_path_factory.mktemp("cloud"), *request.param)
    return started


JOB = {
    "ProcessingJobName": "forced",
    "RoleArn": "arn:aws:iam::123456789012:role/longspan-local",
    "AppSpecification": {"ImageUri": "x", "ContainerEntrypoint": ["sh", "-c", "id"]},
    "ProcessingResources": {
        "ClusterConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 1,
        }
    },
}
CREATE = {
    "X-Amz-Target": "SageMaker.CreateProcessingJob",
    "Content-Type": "application/x-amz-json-1.1",
}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": "localhost.evil.example"},
        {"Host": ""},
        {"Host": "[::1]:5000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8888"},
        {"Origin": ""},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_other_hosts_and_all_origins_are_forbidden(
    gated: RunningCloud, headers: Mapping[str, str], method: str
) -> None:
    for path in ("/", "/moto-api/data.json", f"/{gated.bucket}/a"):
        status, found, _ = send(gated, method, path, {**CREATE, **headers})
        assert status == 403
        assert not [name for name in found if name.startswith("access-control")]


@pytest.mark.parametrize("key", ["anything", "AKIAIOSFODNN7EXAMPLE", None])
def test_a_command_needs_the_secret_of_a_key(gated: RunningCloud, key: str | None) -> None:
    key = key or administrator(gated)[0]
    headers = {**CREATE, "Authorization": ANYBODY.format(key=key, service="sagemaker")}
    for signed in (headers, CREATE):
        status, _, body = send(gated, "POST", "/", signed, json.dumps(JOB).encode())
        assert status == 403
        assert "__type" in json.loads(body)
    jobs = gated.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"]
    assert jobs == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/moto-api/"),
        ("GET", "/moto-api/data.json"),
        ("POST", "/moto-api/reset"),
        ("POST", "/moto-api/reset-auth"),
        ("POST", "/%6doto-api/reset"),
        ("GET", "/favicon.ico"),
    ],
)
def test_motos_own_api_does_not_exist(gated: RunningCloud, method: str, path: str) -> None:
    assert send(gated, method, path)[0] == 404
    assert gated.client("s3").list_buckets()["Buckets"]


def test_credentials_of_no_machine_are_served(gated: RunningCloud) -> None:
    for path in ("/latest/meta-data/iam/security-credentials/x", "/latest/api/token"):
        assert send(gated, "GET", path)[0] == 403


OPERATIONS = [
    ("sagemaker", "list_models"),
    ("s3", "list_buckets"),
    ("iam", "list_users"),
    ("sts", "get_caller_identity"),
    ("cloudwatch", "list_metrics"),
    ("logs", "describe_log_groups"),
    ("lambda", "list_functions"),
]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_clients_read_the_refusal(gated: RunningCloud, service: str, operation: str) -> None:
    key, secret = administrator(gated)
    unknown = code(getattr(clients(gated, "AKIANOBODYHASITXXXXX", secret)(service), operation))
    wrong = code(getattr(clients(gated, key, "wrong")(service), operation))
    assert (unknown, wrong) == {
        "s3": ("InvalidAccessKeyId", "SignatureDoesNotMatch"),
        "iam": ("InvalidClientTokenId", "SignatureDoesNotMatch"),
        "sts": ("InvalidClientTokenId", "SignatureDoesNotMatch"),
    }.get(service, ("UnrecognizedClientException", "InvalidSignatureException"))
    getattr(clients(gated, key, secret)(service), operation)()


def test_keys_of_users_are_accepted_while_they_are_active(gated: RunningCloud) -> None:
    iam = gated.client("iam")
    iam.create_user(UserName="user")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_user_policy(UserName="user", PolicyName="all", PolicyDocument=policy)
    made = iam.create_access_key(UserName="user")["AccessKey"]
    key = {"UserName": "user", "AccessKeyId": made["AccessKeyId"]}
    sagemaker = clients(gated, made["AccessKeyId"], made["SecretAccessKey"])("sagemaker")
    sagemaker.list_models()
    iam.update_access_key(**key, Status="Inactive")
    assert code(sagemaker.list_models) == "UnrecognizedClientException"
    iam.update_access_key(**key, Status="Active")
    sagemaker.list_models()
    iam.delete_access_key(**key)
    assert code(sagemaker.list_models) == "UnrecognizedClientException"


def test_sessions_of_roles_need_their_token(gated: RunningCloud) -> None:
    sts = gated.client("sts")
    given = sts.assume_role(RoleArn=gated.role, RoleSessionName="one")["Credentials"]
    whole = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    clients(gated, *whole)("s3").list_buckets()
    clients(gated, *whole)("sagemaker").list_models()
    assert code(clients(gated, *whole[:2])("s3").list_buckets) == "InvalidToken"
    assert code(clients(gated, *whole[:2], "other")("s3").list_buckets) == "InvalidToken"
    own = clients(gated, *administrator(gated), "token")("s3")
    assert code(own.list_buckets) == "InvalidToken"


def test_a_session_of_a_user_has_its_rights(gated: RunningCloud) -> None:
    given = gated.client("sts").get_session_token()["Credentials"]
    whole = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    who = clients(gated, *whole)("sts").get_caller_identity()["Arn"]
    assert who.endswith("user/longspan-local-administrator")
    clients(gated, *whole)("sagemaker").list_models()
    s3 = clients(gated, *whole)("s3", Config(signature_version="s3v4"))
    s3.put_object(Bucket=gated.bucket, Key="session", Body=b"content")
    for version in ("s3", "s3v4"):
        signer = clients(gated, *whole)("s3", Config(signature_version=version))
        link = signer.generate_presigned_url(
            "get_object", Params={"Bucket": gated.bucket, "Key": "session"}
        )
        assert fetch(link) == b"content"
    assert code(clients(gated, *whole[:2])("s3").list_buckets) == "InvalidToken"


def fetch(url: str, body: bytes | None = None, method: str | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, body, method=method)) as answer:
        content: bytes = answer.read()
        return content


def refused(url: str, body: bytes | None = None, method: str | None = None) -> bool:
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(url, body, method)
    with caught.value as error:
        return error.code == 403


@pytest.mark.parametrize("version", ["s3", "s3v4"])
@pytest.mark.parametrize("key", ["a b/ü=1+~(x)!*'$,", "a//b"])
def test_links_are_valid_as_they_were_made(gated: RunningCloud, version: str, key: str) -> None:
    s3 = clients(gated, *administrator(gated))("s3", Config(signature_version=version))
    place = {"Bucket": gated.bucket, "Key": key}
    put = s3.generate_presigned_url("put_object", Params=place)
    # Without urllib, which adds a Content-Type that the link did not sign.
    assert send(gated, "PUT", "/" + put.split("/", 3)[3], {}, b"content")[0] == 200
    get = s3.generate_presigned_url(
        "get_object", Params={**place, "ResponseContentType": "text/x"}, ExpiresIn=60
    )
    assert fetch(get) == b"content"
    for wrong in (
        get.replace("text%2Fx", "text%2Fy"),
        get.replace(gated.bucket, "another"),
        get.replace(administrator(gated)[0], "AKIANOBODYHASITXXXXX"),
        get.partition("?")[0],
    ):
        assert refused(wrong)
    assert refused(get, b"x", "PUT")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_form_is_valid_within_its_policy(
    gated: RunningCloud, version: str, request: pytest.FixtureRequest
) -> None:
    s3 = clients(gated, *administrator(gated))("s3", Config(signature_version=version))
    form = s3.generate_presigned_post(
        gated.bucket,
        "forms/${filename}",
        Conditions=[["starts-with", "$key", "forms/"], ["content-length-range", 1, 10]],
        ExpiresIn=60,
    )

    def upload(content: bytes = b"content", **fields: str) -> int:
        parts = {**form["fields"], "key": "forms/a", **fields}
        lines = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in parts.items()
        ]
        file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        body = b"".join([*lines, file, content, b"\r\n--x--\r\n"])
        path = f"/{gated.bucket}/"
        return send(gated, "POST", path, {"Content-Type": "multipart/form-data; boundary=x"}, body)[
            0
        ]

    assert upload(key="elsewhere/a") == 403
    assert upload(content=b"longer than that") == 403
    assert upload(acl="public-read") == 403
    assert upload(policy=form["fields"]["policy"][:-8] + "AAAAAAA=") == 403
    if "iam" in request.node.callspec.id:
        return  # moto's check of policies knows no forms
    assert upload() == 204
    assert (
        gated.client("s3").get_object(Bucket=gated.bucket, Key="forms/a")["Body"].read()
        == b"content"
    )


def test_any_key_is_an_option(launch: Callable[..., RunningCloud], tmp_path: Path) -> None:
    cloud = launch(tmp_path, "--any-key")
    open_ = clients(cloud, "a", "b")
    open_("sagemaker").list_models()
    open_("s3").list_buckets()
    assert send(cloud, "GET", "/", {"Host": "evil.example"})[0] == 403
    assert send(cloud, "GET", "/", {"Origin": "null"})[0] == 403
    assert send(cloud, "POST", "/moto-api/reset")[0] == 404
