"""Under enforced IAM the roles of the template suffice, and no right of theirs is idle."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from longspan.infra.local.policies import ALLOWED, decide
from longspan.infra.stack.template import body
from longspan.pipelines.connection import Connection
from tests.infra.stack.work import (
    PROJECT,
    deploy_and_return,
    register_and_deploy,
    run_to_the_end,
    stop_and_fail,
)

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLES = {
    name: f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-{name}" for name in ("execution", "deployer")
}
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/longspan-local-administrator"
CLOUD = Path(__file__).with_name("rights_cloud.py")

# What AWS's services ask for and the local cloud does not: it pulls no images, has no keys, and
# asks for no right to the tags that a request brings along.
AWS_ALONE = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
    "iam:CreateServiceLinkedRole",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKey",
    "sagemaker:AddTags",
}


@dataclass(frozen=True)
class Request:
    """One that was checked: by which role, what, and with which keys for conditions."""

    role: str
    action: str
    resource: str
    context: Mapping[str, str]


@dataclass(frozen=True)
class Bench:
    environment: Mapping[str, str]
    directory: Path

    def client(self, service: str, *credentials: str) -> Any:
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        given = credentials or tuple(self.environment[key] for key in keys)
        session = boto3.Session(*given, region_name=REGION)
        return session.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    def deployer(self) -> Connection:
        """A session of the deployer role, whose pipelines get the execution role."""
        given = self.client("sts").assume_role(RoleArn=ROLES["deployer"], RoleSessionName="test")[
            "Credentials"
        ]
        credentials = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return Connection(
            session=boto3.Session(*credentials, region_name=REGION),
            region=REGION,
            account=ACCOUNT,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            role_arn=ROLES["execution"],
            bucket=f"{PROJECT}-{ACCOUNT}-{REGION}",
        )

    def requests(self) -> list[Request]:
        """Those of the two roles so far."""
        lines = (self.directory / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        names = {f"assumed-role/{PROJECT}-{name}/": name for name in ROLES}
        return [
            Request(name, action, resource, context)
            for who, action, resource, context in map(json.loads, lines)
            for part, name in names.items()
            if part in who
        ]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A cloud with the template's bucket, roles and group."""
    directory = tmp_path_factory.mktemp("rights")
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(CLOUD), "--directory", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # moto's words on resources that it does not know
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    bench = Bench(json.loads(process.stdout.readline()), directory)
    bench.client("cloudformation").create_stack(
        StackName=PROJECT,
        TemplateBody=body(),
        Parameters=[{"ParameterKey": "DeployerPrincipal", "ParameterValue": ADMINISTRATOR}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    bench.client("sagemaker").create_model_package_group(ModelPackageGroupName=PROJECT)
    for role in ROLES:
        put_policies(bench, role, policies(bench, role))
    yield bench
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


def policies(bench: Bench, role: str) -> dict[str, dict[str, Any]]:
    """By name. moto's CloudFormation keeps them as Python writes them, not as JSON."""
    iam = bench.client("iam")
    name = f"{PROJECT}-{role}"
    documents = {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    return {
        policy: ast.literal_eval(document) if isinstance(document, str) else document
        for policy, document in documents.items()
    }


def put_policies(bench: Bench, role: str, documents: Mapping[str, Any]) -> None:
    for name, document in documents.items():
        bench.client("iam").put_role_policy(
            RoleName=f"{PROJECT}-{role}", PolicyName=name, PolicyDocument=json.dumps(document)
        )


@pytest.fixture(scope="module")
def done(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """All of the work, by the deployer, with nothing refused."""
    folder = tmp_path_factory.mktemp("work")
    connection = bench.deployer()
    stop_and_fail(connection, folder)
    register_and_deploy(connection, folder)
    bench.client("sagemaker").delete_endpoint(EndpointName=PROJECT)
    bench.client("sagemaker").get_waiter("endpoint_deleted").wait(
        EndpointName=PROJECT, WaiterConfig={"Delay": 1}
    )
    run_to_the_end(connection, folder)
    deploy_and_return(connection, folder)
    return bench


def actions(statement: Mapping[str, Any]) -> list[str]:
    named = statement["Action"]
    return [named] if isinstance(named, str) else list(named)


def without(documents: Mapping[str, Any], name: str, number: int, action: str) -> list[Any]:
    """The policies with one action less in one statement."""
    result = json.loads(json.dumps(documents))
    statements = result[name]["Statement"]
    rest = [one for one in actions(statements[number]) if one != action]
    statements[number]["Action"] = rest
    return list(result.values())


def test_the_whole_pipeline_and_deployment_pass_with_the_two_roles(done: Bench):
    assert {request.role for request in done.requests()} == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_each_right_taken_away_has_a_request_refused(done: Bench, role: str):
    documents = policies(done, role)
    requests = [request for request in done.requests() if request.role == role]
    idle = []
    for name, document in documents.items():
        for number, statement in enumerate(document["Statement"]):
            for action in actions(statement):
                rest = without(documents, name, number, action)
                asked = [r for r in requests if r.action == action]
                needed = any(
                    decide(rest, r.action, r.resource, r.context) != ALLOWED for r in asked
                )
                if action in AWS_ALONE:
                    assert not asked, f"{action} is asked for here too: take it off the list"
                elif not needed:
                    idle.append(f"{statement.get('Sid')}: {action}")
    assert idle == []


def anew(connection: Connection, folder: Path, first: str) -> None:
    run_to_the_end(connection, folder, first)
    deploy_and_return(connection, folder)


@pytest.mark.parametrize(
    ("role", "policy", "action", "failure"),
    [
        ("execution", "data", "s3:PutObject", "Prepare: .*s3:PutObject"),
        ("execution", "pipeline", "sagemaker:CreateModelPackage", "Register"),
        ("execution", "pipeline", "iam:PassRole", "iam:PassRole"),
        ("deployer", "pipeline", "iam:PassRole", "PassRole"),
        ("deployer", "endpoint", "sagemaker:UpdateEndpoint", "UpdateEndpoint"),
    ],
)
def test_without_a_right_something_fails(
    done: Bench, tmp_path: Path, role: str, policy: str, action: str, failure: str
):
    before = policies(done, role)
    less = json.loads(json.dumps(before[policy]))
    for statement in less["Statement"]:
        statement["Action"] = [one for one in actions(statement) if one != action]
    less["Statement"] = [statement for statement in less["Statement"] if statement["Action"]]
    put_policies(done, role, {policy: less})
    connection = done.deployer()
    try:
        with pytest.raises(Exception, match=failure):
            anew(connection, tmp_path, f"{action}\tb\n".replace(":", "-"))
    finally:
        put_policies(done, role, {policy: before[policy]})
