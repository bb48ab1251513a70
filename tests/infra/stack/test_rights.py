"""Permissions of the template's roles: all are needed, and they suffice, under enforced IAM."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from longspan.infra.local.moto.policies import ALLOWED, evaluate_policies
from longspan.pipelines.cloud.connection import CloudConnection
from tests.infra.stack.stack_cloud import (
    ROLES,
    StackCloud,
    open_stack_cloud,
    policies,
    put_policies,
)
from tests.infra.stack.work import (
    PROJECT,
    approve_and_measure,
    deploy_and_return,
    push_image,
    register_and_deploy,
    run_to_the_end,
    stop_and_fail,
)

pytestmark = pytest.mark.long

_KEY = {"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"}
_OWN_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}

# What AWS's services ask for and the local cloud does not, by role: it has no keys, pulls and keeps
# no images, scales nothing, rolls nothing back on an alarm, runs no Lambda functions, and asks for
# no right to the tags that a request brings along. Each with the page that asks for it.
AWS_ALONE = {
    # https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    # https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    "execution": {
        *_KEY,
        "cloudwatch:DescribeAlarms",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "kms:DescribeKey",
        "logs:DescribeLogStreams",
        "sagemaker:AddTags",
    },
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
    # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
    "deployer": {
        *_KEY,
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
        "iam:CreateServiceLinkedRole",
        "sagemaker:AddTags",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
    },
    # https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    "deployment": {*_OWN_LOG, "kms:CreateGrant"},
    "canary": {*_OWN_LOG, "kms:Decrypt"},
}


@pytest.fixture(scope="module")
def stack_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackCloud]:
    with open_stack_cloud(tmp_path_factory.mktemp("rights")) as stack_cloud:
        yield stack_cloud


@pytest.fixture(scope="module")
def done(stack_cloud: StackCloud, tmp_path_factory: pytest.TempPathFactory) -> StackCloud:
    """All of the work, by the deployer and the two functions, with nothing refused."""
    folder = tmp_path_factory.mktemp("work")
    connection = stack_cloud.deployer()
    push_image(connection, stack_cloud.client("ecr"))
    stop_and_fail(connection, folder)
    package = register_and_deploy(connection, folder)
    delete_endpoint(stack_cloud)
    run_to_the_end(connection, folder)
    deploy_and_return(connection, folder)
    sessions = {role: stack_cloud.session(role) for role in ("deployment", "canary")}
    approve_and_measure(stack_cloud.client, sessions, package)
    delete_endpoint(stack_cloud)
    approve_and_measure(stack_cloud.client, sessions, package)
    return stack_cloud


def delete_endpoint(stack_cloud: StackCloud) -> None:
    """By the administrator: the deployer deletes nothing."""
    sagemaker = stack_cloud.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=PROJECT)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=PROJECT, WaiterConfig={"Delay": 1})


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


def test_the_whole_pipeline_and_deployments_pass_with_the_roles(done: StackCloud):
    assert {request.role for request in done.requests()} == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_each_right_taken_away_has_a_request_refused(done: StackCloud, role: str):
    documents = policies(done, role)
    requests = [request for request in done.requests() if request.role == role]
    idle = []
    for name, document in documents.items():
        for number, statement in enumerate(document["Statement"]):
            for action in actions(statement):
                rest = without(documents, name, number, action)
                asked = [r for r in requests if r.action == action]
                needed = any(
                    evaluate_policies(rest, r.action, r.resource, r.context) != ALLOWED
                    for r in asked
                )
                if action in AWS_ALONE[role]:
                    assert not asked, f"{action} is asked for here too: take it off the list"
                elif not needed:
                    idle.append(f"{statement.get('Sid')}: {action}")
    assert idle == []


def anew(connection: CloudConnection, folder: Path, first: str) -> None:
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
    done: StackCloud, tmp_path: Path, role: str, policy: str, action: str, failure: str
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
