"""Deployment and deletion under IAM enforcement: what a user needs, and that nothing of it is idle.

The local cloud checks every request's signature and the caller's policies, as AWS does.
"""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from longspan.pipelines.command import main
from longspan.pipelines.config import template
from tests.pipelines.commands.test_delivery import GROUP, Registry
from tests.pipelines.iam_user import IamUser, refused

pytestmark = pytest.mark.long

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
)
UPDATE = (*DEPLOY, "sagemaker:UpdateEndpoint")
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
    "sagemaker:DeletePipeline",
    # Deleting objects needs s3:DeleteObject too, which moto does not check.
)


@pytest.fixture(scope="module")
def cloud(launch_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return launch_module(tmp_path_factory.mktemp("iam"), "--iam", tiny=True)


@pytest.fixture(scope="module")
def user(cloud: Any) -> IamUser:
    return IamUser(cloud)


@pytest.fixture(autouse=True)
def here(user: IamUser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in user.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load(template())
    config["endpoint"]["autoscaling"] = {"min_instances": 1, "max_instances": 3}
    (tmp_path / "longspan.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture
def registry(cloud: Any, user: IamUser, here: None) -> Registry:
    """A registered model, whatever other tests have left, and a user who may do everything."""
    user.may("*")
    settle(cloud)
    registry = Registry(cloud)
    found = registry.sagemaker.list_model_packages(ModelPackageGroupName=GROUP)
    if not found["ModelPackageSummaryList"]:
        registry.register("first")
    return registry


@pytest.fixture
def deployed(registry: Registry) -> Registry:
    """One of everything that `delete` deletes."""
    if not (registry.sagemaker.list_endpoints()["Endpoints"] and targets(registry)):
        assert main(["deploy"]) == 0
    if not registry.sagemaker.list_pipelines()["PipelineSummaries"]:
        fail = {"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
        registry.sagemaker.create_pipeline(
            PipelineName=GROUP,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [fail]}),
            RoleArn=registry.cloud.role,
            ClientRequestToken=uuid.uuid4().hex,
        )
    return registry


@pytest.fixture
def empty(registry: Registry) -> Registry:
    """No endpoint."""
    if registry.sagemaker.list_endpoints()["Endpoints"]:
        registry.sagemaker.delete_endpoint(EndpointName=GROUP)
        registry.sagemaker.get_waiter("endpoint_deleted").wait(
            EndpointName=GROUP, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
        )
    return registry


def targets(registry: Registry) -> list[tuple[int, int]]:
    """The least and most machines of what scales."""
    found = registry.cloud.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )["ScalableTargets"]
    return [(target["MinCapacity"], target["MaxCapacity"]) for target in found]


def settle(cloud: Any) -> None:
    """An endpoint that is being created can be neither updated nor deleted."""
    sagemaker = cloud.client("sagemaker")
    if sagemaker.list_endpoints()["Endpoints"]:
        sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName=GROUP, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
        )


@pytest.mark.parametrize("missing", DEPLOY)
def test_without_a_right_deploy_names_it(
    empty: Registry, user: IamUser, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    user.may(*ALWAYS, *(action for action in DEPLOY if action != missing))
    refused(["deploy", "--approve"], user.name, missing, capsys)


def test_without_the_right_to_update_deploy_names_it(
    deployed: Registry, user: IamUser, capsys: pytest.CaptureFixture[str]
) -> None:
    user.may(*ALWAYS, *DEPLOY)
    refused(["deploy"], user.name, "sagemaker:UpdateEndpoint", capsys)


def test_with_its_rights_it_deploys_scales_and_updates(empty: Registry, user: IamUser) -> None:
    user.may(*ALWAYS, *UPDATE)
    assert main(["deploy", "--approve"]) == 0
    assert targets(empty) == [(1, 3)]
    assert main(["deploy"]) == 0


@pytest.mark.parametrize("missing", DELETE)
def test_without_a_right_delete_names_it(
    deployed: Registry, user: IamUser, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was deleted before is gone; the rest is there for another try."""
    user.may(*ALWAYS, *(action for action in (*UPDATE, *DELETE) if action != missing))
    refused(["delete", "--yes"], user.name, missing, capsys)


def test_with_its_rights_it_deletes_all(deployed: Registry, user: IamUser) -> None:
    user.may(*ALWAYS, *UPDATE, *DELETE)
    assert main(["delete", "--yes"]) == 0
    assert not deployed.sagemaker.list_endpoints()["Endpoints"]
    assert not deployed.sagemaker.list_models()["Models"]
    assert not deployed.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert not deployed.sagemaker.list_pipelines()["PipelineSummaries"]
    assert targets(deployed) == []
