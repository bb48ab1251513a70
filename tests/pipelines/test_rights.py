"""Deployment and deletion under IAM enforcement: what a user needs, and that nothing of it is idle.

The local cloud checks every request's signature and the caller's policies, as AWS does.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from longspan.pipelines.command import main
from longspan.pipelines.config import template
from tests.pipelines.test_delivery_commands import GROUP, Registry

DEPLOY = (
    "sagemaker:ListModelPackages",
    "sagemaker:UpdateModelPackage",
    "sagemaker:DescribeModelPackage",
    "sagemaker:CreateModel",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:ListEndpoints",
    "sagemaker:CreateEndpoint",
    "sagemaker:DescribeEndpoint",
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "sagemaker:UpdateEndpoint",
)
# Of what no request here asks for alone.
ALWAYS = ("sagemaker:AddTags", "iam:PassRole", "s3:DeleteObject")
DELETE = (
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModels",
    "sagemaker:ListModelPackageGroups",
    "sagemaker:ListPipelines",
    "s3:ListBucket",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DeregisterScalableTarget",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteModel",
    "sagemaker:DeleteModelPackage",
    "sagemaker:DeleteModelPackageGroup",
    # Deleting objects needs s3:DeleteObject too, which moto does not check.
)
USER = "deployer"


@pytest.fixture(scope="module")
def registry(launch_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    cloud = launch_module(tmp_path_factory.mktemp("iam"), "--iam", tiny=True)
    registry = Registry(cloud)
    registry.register("first", approval="PendingManualApproval")
    return registry


class User:
    """Somebody with few rights, whose keys the commands use."""

    def __init__(self, cloud: Any) -> None:
        self._iam = cloud.client("iam")
        self._iam.create_user(UserName=USER)
        key = self._iam.create_access_key(UserName=USER)["AccessKey"]
        self.environment = {
            **cloud.environment,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def may(self, actions: Sequence[str]) -> None:
        statement = {"Effect": "Allow", "Action": [*actions, *ALWAYS], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._iam.put_user_policy(UserName=USER, PolicyName="few", PolicyDocument=document)


@pytest.fixture(scope="module")
def user(registry: Registry) -> User:
    return User(registry.cloud)


@pytest.fixture(autouse=True)
def here(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in user.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load(template())
    config["endpoint"]["autoscaling"] = {"min_instances": 1, "max_instances": 3}
    (tmp_path / "longspan.yaml").write_text(yaml.safe_dump(config))


def settle(registry: Registry) -> None:
    """An endpoint that is being created cannot be updated."""
    if registry.sagemaker.list_endpoints()["Endpoints"]:
        registry.sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName=GROUP, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )


@pytest.mark.parametrize("missing", DEPLOY)
def test_without_a_right_deploy_names_it(
    registry: Registry, user: User, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(registry)
    user.may([action for action in DEPLOY if action != missing])
    assert main(["deploy", "1", "--approve"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"lacks the right {missing}" in line
    assert USER in line


def test_with_its_rights_it_deploys_and_scales(registry: Registry, user: User) -> None:
    settle(registry)
    user.may(DEPLOY)
    assert main(["deploy", "1"]) == 0
    found = registry.cloud.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )["ScalableTargets"]
    assert [(t["MinCapacity"], t["MaxCapacity"]) for t in found] == [(1, 3)]


@pytest.mark.parametrize("missing", DELETE)
def test_without_a_right_delete_names_it(
    user: User, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was deleted before is gone; the rest is there for another try."""
    allowed = [*DEPLOY, *DELETE]
    user.may([action for action in allowed if action != missing])
    assert main(["delete", "--yes"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"lacks the right {missing}" in line


def test_with_its_rights_it_deletes_all(
    registry: Registry, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    user.may([*DEPLOY, *DELETE])
    assert main(["delete", "--yes"]) == 0
    assert not registry.sagemaker.list_endpoints()["Endpoints"]
    assert not registry.sagemaker.list_models()["Models"]
    assert not registry.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    targets = registry.cloud.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )["ScalableTargets"]
    assert targets == []
