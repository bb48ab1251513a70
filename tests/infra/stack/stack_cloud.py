"""A local cloud with the template's roles, for tests of their permissions."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from longspan.infra.stack.template import body
from longspan.pipelines.cloud.connection import CloudConnection
from tests.infra.stack.work import PROJECT

__all__ = ["ROLES", "Request", "StackCloud", "open_stack_cloud", "policies", "put_policies"]

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLES = {
    name: f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-{name}"
    for name in ("execution", "deployer", "deployment", "canary")
}
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/longspan-local-administrator"
CLOUD = Path(__file__).with_name("rights_cloud.py")


@dataclass(frozen=True)
class Request:
    """One that was checked: by which role, what, and with which keys for conditions."""

    role: str
    action: str
    resource: str
    context: Mapping[str, str]


@dataclass(frozen=True)
class StackCloud:
    environment: Mapping[str, str]
    directory: Path

    def client(self, service: str, *credentials: str) -> Any:
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        given = credentials or tuple(self.environment[key] for key in keys)
        session = boto3.Session(*given, region_name=REGION)
        return session.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    def session(self, role: str) -> boto3.Session:
        """Whose credentials are a role's."""
        given = self.client("sts").assume_role(RoleArn=ROLES[role], RoleSessionName="test")[
            "Credentials"
        ]
        credentials = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return boto3.Session(*credentials, region_name=REGION)

    def deployer(self) -> CloudConnection:
        """Of the deployer role, whose pipelines get the execution role."""
        return CloudConnection(
            session=self.session("deployer"),
            region=REGION,
            account=ACCOUNT,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            role_arn=ROLES["execution"],
            bucket=f"{PROJECT}-{ACCOUNT}-{REGION}",
        )

    def requests(self) -> list[Request]:
        """Those of the roles so far."""
        lines = (self.directory / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        names = {f"assumed-role/{PROJECT}-{name}/": name for name in ROLES}
        return [
            Request(name, action, resource, context)
            for who, action, resource, context in map(json.loads, lines)
            for part, name in names.items()
            if part in who
        ]


@contextmanager
def open_stack_cloud(directory: Path) -> Iterator[StackCloud]:
    """A cloud with the template's bucket, roles, repository, functions and group."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(CLOUD), "--directory", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # moto's words on resources that it does not know
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stack_cloud = StackCloud(json.loads(process.stdout.readline()), directory)
    stack_cloud.client("cloudformation").create_stack(
        StackName=PROJECT,
        TemplateBody=body(),
        Parameters=[{"ParameterKey": "DeployerPrincipal", "ParameterValue": ADMINISTRATOR}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    for role in ROLES:
        put_policies(stack_cloud, role, policies(stack_cloud, role))
    yield stack_cloud
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


def policies(stack_cloud: StackCloud, role: str) -> dict[str, dict[str, Any]]:
    """By name. moto's CloudFormation keeps them as Python writes them, not as JSON."""
    iam = stack_cloud.client("iam")
    name = f"{PROJECT}-{role}"
    documents = {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    return {
        policy: ast.literal_eval(document) if isinstance(document, str) else document
        for policy, document in documents.items()
    }


def put_policies(stack_cloud: StackCloud, role: str, documents: Mapping[str, Any]) -> None:
    for name, document in documents.items():
        stack_cloud.client("iam").put_role_policy(
            RoleName=f"{PROJECT}-{role}", PolicyName=name, PolicyDocument=json.dumps(document)
        )
