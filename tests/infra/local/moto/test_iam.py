"""A cloud that enforces IAM: covers `access` and `policies` through boto3."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
ACCOUNT = "123456789012"
PREFIX = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:"


@dataclass
class IamCloud:
    """A cloud, its administrator's clients, and roles with the rights that a test wants."""

    cloud: Any
    iam: Any

    def role(self, name: str, *statements: dict[str, Any], service: str = "sagemaker") -> str:
        """The ARN of a role that trusts a service."""
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        arn: str = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))[
            "Role"
        ]["Arn"]
        if statements:
            self.iam.put_role_policy(
                RoleName=name, PolicyName="rights", PolicyDocument=policy(*statements)
            )
        return arn

    def user(self, name: str, *statements: dict[str, Any]) -> Callable[[str], Any]:
        """Clients of a user with these rights, by the name of the service."""
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(
            UserName=name, PolicyName="rights", PolicyDocument=policy(*statements)
        )
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return self.clients(key["AccessKeyId"], key["SecretAccessKey"])

    def session(self, role: str) -> Callable[[str], Any]:
        """Clients of a role."""
        sts = self.cloud.client("sts")
        given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return self.clients(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def clients(self, *credentials: str) -> Callable[[str], Any]:
        session = boto3.Session(*credentials, region_name="us-east-1")
        url = self.cloud.environment["AWS_ENDPOINT_URL"]
        return lambda service: session.client(service, endpoint_url=url, config=ONCE)


def allow(*actions: str, on: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def iam_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IamCloud]:
    from tests.infra.local.conftest import start_cloud

    cloud = start_cloud(tmp_path_factory.mktemp("cloud"), "--iam")
    yield IamCloud(cloud, cloud.client("iam"))
    cloud.close()


ROLE = f"arn:aws:iam::{ACCOUNT}:role/longspan-local"
DEFINITION = '{"Version": "2020-12-01", "Steps": []}'
# Right as far as validation goes; all that can be wrong with them comes after the rights.
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("DescribeTrainingJob", "training-job/a", {"TrainingJobName": "a"}),
    ("StopProcessingJob", "processing-job/a", {"ProcessingJobName": "a"}),
    ("StopTransformJob", "transform-job/a", {"TransformJobName": "a"}),
    (
        "StopHyperParameterTuningJob",
        "hyper-parameter-tuning-job/a",
        {"HyperParameterTuningJobName": "a"},
    ),
    ("CreateModel", "model/a", {"ModelName": "a", "ExecutionRoleArn": ROLE}),
    ("DeleteEndpointConfig", "endpoint-config/a", {"EndpointConfigName": "a"}),
    ("CreateEndpoint", "endpoint/a", {"EndpointName": "a", "EndpointConfigName": "b"}),
    ("UpdateEndpoint", "endpoint/a", {"EndpointName": "a", "EndpointConfigName": "b"}),
    ("CreateModelPackageGroup", "model-package-group/a", {"ModelPackageGroupName": "a"}),
    ("CreateModelPackage", "model-package/a/*", {"ModelPackageGroupName": "a"}),
    (
        "UpdateModelPackage",
        "model-package/a/1",
        {"ModelPackageArn": f"{PREFIX}model-package/a/1"},
    ),
    (
        "CreatePipeline",
        "pipeline/a",
        {
            "PipelineName": "a",
            "RoleArn": ROLE,
            "ClientRequestToken": "x" * 32,
            "PipelineDefinition": DEFINITION,
        },
    ),
    (
        "StartPipelineExecution",
        "pipeline/a",
        {"PipelineName": "a", "ClientRequestToken": "x" * 32},
    ),
    (
        "ListPipelineExecutionSteps",
        "pipeline/a/execution/abcdefghijkl",
        {"PipelineExecutionArn": f"{PREFIX}pipeline/a/execution/abcdefghijkl"},
    ),
    ("AddTags", "model/a", {"ResourceArn": f"{PREFIX}model/a", "Tags": []}),
]


@pytest.fixture(scope="module")
def nobody(iam_cloud: IamCloud) -> Any:
    return iam_cloud.user("nobody", allow("s3:GetObject"))("sagemaker")


@pytest.mark.parametrize(("operation", "resource", "request_"), REQUESTS)
def test_a_denial_names_who_what_and_where(
    nobody: Any, operation: str, resource: str, request_: dict[str, Any]
) -> None:
    from botocore import xform_name

    code, message = refusal(getattr(nobody, xform_name(operation)), **request_)
    assert code == "AccessDeniedException"
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: "
        f"sagemaker:{operation} on resource: {PREFIX}{resource} because no identity-based policy "
        f"allows the sagemaker:{operation} action"
    )


def test_rights_are_for_the_resources_that_they_name(iam_cloud: IamCloud) -> None:
    sagemaker = iam_cloud.user("models", allow("sagemaker:*Model", on=f"{PREFIX}model/mine-*"))(
        "sagemaker"
    )
    code, message = refusal(sagemaker.describe_model, ModelName="mine-1")
    assert (code, "Could not find model" in message) == ("ValidationException", True)
    code, _ = refusal(sagemaker.describe_model, ModelName="yours-1")
    assert code == "AccessDeniedException"


def test_a_deny_is_told_as_one(iam_cloud: IamCloud) -> None:
    deny = {**allow("sagemaker:DeleteModel"), "Effect": "Deny"}
    sagemaker = iam_cloud.user("careful", allow("sagemaker:*"), deny)("sagemaker")
    code, message = refusal(sagemaker.delete_model, ModelName="a")
    assert code == "AccessDeniedException"
    assert message.endswith(
        "with an explicit deny in an identity-based policy for the sagemaker:DeleteModel action"
    )
    assert refusal(sagemaker.describe_model, ModelName="a")[0] == "ValidationException"


def test_a_role_must_be_passed_on(iam_cloud: IamCloud) -> None:
    jobs = iam_cloud.role("jobs", allow("*"))
    request = {
        "ModelName": "passed",
        "ExecutionRoleArn": jobs,
        "PrimaryContainer": {"Image": "image"},
    }
    create = allow("sagemaker:CreateModel")
    code, message = refusal(iam_cloud.user("cannot", create)("sagemaker").create_model, **request)
    assert code == "AccessDeniedException"
    assert f"user/cannot is not authorized to perform: iam:PassRole on resource: {jobs}" in message

    def passing(service: str) -> dict[str, Any]:
        condition = {"StringEquals": {"iam:PassedToService": service}}
        return allow("iam:PassRole", on=jobs, Condition=condition)

    elsewhere = iam_cloud.user("elsewhere", create, passing("lambda.amazonaws.com"))
    assert refusal(elsewhere("sagemaker").create_model, **request)[0] == "AccessDeniedException"
    can = iam_cloud.user("can", create, passing("sagemaker.amazonaws.com"))
    assert can("sagemaker").create_model(**request)["ModelArn"] == f"{PREFIX}model/passed"
    other = {**request, "ModelName": "other", "ExecutionRoleArn": iam_cloud.role("other")}
    assert "role/other" in refusal(can("sagemaker").create_model, **other)[1]


def test_a_role_that_sagemaker_cannot_assume_is_refused(iam_cloud: IamCloud) -> None:
    sagemaker = iam_cloud.cloud.client("sagemaker")
    request = {"ModelName": "trust", "PrimaryContainer": {"Image": "image"}}
    lambdas = iam_cloud.role("lambdas", allow("*"), service="lambda")
    for role in (
        lambdas,
        f"arn:aws:iam::{ACCOUNT}:role/nobody-has-it",
        f"arn:aws:iam::{ACCOUNT}:role/path/longspan-local",
        "arn:aws:iam::210987654321:role/longspan-local",
    ):
        code, message = refusal(sagemaker.create_model, ExecutionRoleArn=role, **request)
        assert code == "ValidationException"
        assert message.startswith(f"Could not assume role {role}. ")


def test_what_runs_has_the_rights_of_its_role(iam_cloud: IamCloud) -> None:
    """The model's role may not read the model's data: AWS finds that when it is created."""
    s3 = iam_cloud.cloud.client("s3")
    s3.put_object(Bucket=iam_cloud.cloud.bucket, Key="model.tar.gz", Body=b"")
    uri = f"s3://{iam_cloud.cloud.bucket}/model.tar.gz"
    request = {"PrimaryContainer": {"Image": "image", "ModelDataUrl": uri}}
    sagemaker = iam_cloud.cloud.client("sagemaker")
    blind = iam_cloud.role("blind", allow("logs:*"))
    code, message = refusal(
        sagemaker.create_model, ModelName="blind", ExecutionRoleArn=blind, **request
    )
    assert code == "ValidationException"
    assert f"Could not access model data at {uri}" in message
    assert "s3:GetObject" in message
    seeing = iam_cloud.role("seeing", allow("s3:GetObject"))
    sagemaker.create_model(ModelName="seeing", ExecutionRoleArn=seeing, **request)


def test_endpoints_are_asked_by_those_who_may(iam_cloud: IamCloud) -> None:
    arn = f"{PREFIX}endpoint/mine"
    clients = iam_cloud.session(iam_cloud.role("asks", allow("sagemaker:InvokeEndpoint", on=arn)))
    runtime = clients("sagemaker-runtime")
    for body in (b"", b"hello", b"\xff\x00"):
        code, message = refusal(
            runtime.invoke_endpoint, EndpointName="mine", Body=body, ContentType="a/b"
        )
        assert (code, message) == (
            "ValidationError",
            f"Endpoint mine of account {ACCOUNT} not found.",
        )
    for call, action in (
        (runtime.invoke_endpoint, "sagemaker:InvokeEndpoint"),
        (
            runtime.invoke_endpoint_with_response_stream,
            "sagemaker:InvokeEndpointWithResponseStream",
        ),
    ):
        code, message = refusal(call, EndpointName="yours", Body=b"x")
        assert code == "AccessDeniedException"
        assert f"assumed-role/asks/test is not authorized to perform: {action} on" in message
        assert f"{PREFIX}endpoint/yours" in message


@pytest.mark.parametrize(
    ("service", "operation", "request_", "action", "resource"),
    [
        ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups", "*"),
        ("iam", "list_users", {}, "iam:ListUsers", "*"),
        ("s3", "list_buckets", {}, "s3:ListAllMyBuckets", "arn:aws:s3:::*"),
        (
            "s3",
            "put_object",
            {"Bucket": "some", "Key": "a b"},
            "s3:PutObject",
            "arn:aws:s3:::some/a b",
        ),
        ("s3", "list_objects_v2", {"Bucket": "some"}, "s3:ListBucket", "arn:aws:s3:::some"),
        ("cloudwatch", "describe_alarms", {}, "cloudwatch:DescribeAlarms", "*"),
        ("lambda", "list_functions", {}, "lambda:ListFunctions", "*"),
    ],
)
def test_the_other_services_say_it_too(
    iam_cloud: IamCloud,
    service: str,
    operation: str,
    request_: dict[str, Any],
    action: str,
    resource: str,
) -> None:
    name = f"{service}-{operation}"
    clients = iam_cloud.user(name, allow("sagemaker:ListModels"))
    code, message = refusal(getattr(clients(service), operation), **request_)
    assert code in ("AccessDenied", "AccessDeniedException")
    assert f"user/{name} is not authorized to perform: {action} on resource: {resource}" in message


def test_reading_is_enough_to_read(iam_cloud: IamCloud) -> None:
    """HEAD and the transfer manager ask for the rights that AWS asks for, and no others."""
    s3 = iam_cloud.cloud.client("s3")
    bucket = iam_cloud.cloud.bucket
    s3.put_object(Bucket=bucket, Key="a b/ü=1", Body=b"content")
    arn = f"arn:aws:s3:::{bucket}"
    reader = iam_cloud.user(
        "reader", allow("s3:GetObject", on=f"{arn}/*"), allow("s3:ListBucket", on=arn)
    )("s3")
    found = io.BytesIO()
    reader.download_fileobj(bucket, "a b/ü=1", found)
    assert found.getvalue() == b"content"
    reader.head_bucket(Bucket=bucket)
    assert reader.list_objects_v2(Bucket=bucket, Prefix="a b/ü")["KeyCount"] == 1
    writer = iam_cloud.user("writer", allow("s3:PutObject", on=f"{arn}/w/*"))("s3")
    writer.upload_fileobj(io.BytesIO(bytes(20_000_000)), bucket, "w/large")
    assert refusal(writer.get_object, Bucket=bucket, Key="w/large")[0] == "AccessDenied"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_link_has_the_rights_of_who_signed_it(iam_cloud: IamCloud, version: str) -> None:
    s3 = iam_cloud.cloud.client("s3", Config(signature_version=version))
    place = {"Bucket": iam_cloud.cloud.bucket, "Key": "linked"}
    iam_cloud.cloud.client("s3").put_object(**place, Body=b"content")
    link = s3.generate_presigned_url("get_object", Params=place)
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"content"
    key = iam_cloud.cloud.environment["AWS_ACCESS_KEY_ID"]
    for wrong in (link.partition("?")[0], link.replace(key, "AKIANOBODYHASITXXXXX")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(wrong)
        with caught.value as error:
            assert error.code == 403


def test_who_does_not_sign_is_refused(iam_cloud: IamCloud) -> None:
    headers = {"X-Amz-Target": "SageMaker.ListModels"}
    url = iam_cloud.cloud.environment["AWS_ENDPOINT_URL"]
    order = urllib.request.Request(url, b"{}", headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(order)
    with caught.value as error:
        assert json.loads(error.read())["__type"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("key", "secret", "sagemaker", "iam"),
    [
        (
            "AKIANOBODYHASITXXXXX",
            "x",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
        ),
        (None, "wrong", "InvalidSignatureException", "SignatureDoesNotMatch"),
    ],
)
def test_keys_and_signatures_must_be_right(
    iam_cloud: IamCloud, key: str | None, secret: str, sagemaker: str, iam: str
) -> None:
    clients = iam_cloud.clients(key or iam_cloud.cloud.environment["AWS_ACCESS_KEY_ID"], secret)
    assert refusal(clients("sagemaker").list_models)[0] == sagemaker
    assert refusal(clients("iam").list_users)[0] == iam
    runtime = clients("sagemaker-runtime")
    assert refusal(runtime.invoke_endpoint, EndpointName="a", Body=b"x")[0] == sagemaker


def test_anybody_may_ask_who_they_are(iam_cloud: IamCloud) -> None:
    deny = {**allow("*"), "Effect": "Deny"}
    who = iam_cloud.user("lost", deny)("sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/lost"
