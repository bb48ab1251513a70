"""Deployment of an approved model package outside of a pipeline, and rollback to the previous one.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.pipelines.cloud.aws_errors import AwsError, explained
from longspan.pipelines.config.delivery import EndpointSection

__all__ = [
    "VARIANT",
    "WATCHED_SECONDS",
    "Deployment",
    "blue_green",
    "deploy",
    "deployed_name",
    "endpoint_config_pattern",
    "model_pattern",
    "roll_back",
    "variant",
]

VARIANT = "AllTraffic"

# How long alarms can bring the old fleet back; the old fleet then stays for as long again.
WATCHED_SECONDS = 600

# The id of an execution; the version of a model package with random digits: six from
# `longspan deploy`, eight from the stack's function that deploys approved packages.
_EXECUTION = "[a-z0-9]{12}"
_DEPLOYED = "v[0-9]+-[0-9a-f]{6}([0-9a-f]{2})?"


@dataclass(frozen=True)
class Deployment:
    """The model to deploy, and its target.

    `variant` is a production variant of CreateEndpointConfig. `token`, six random hex digits, makes
    the names of model and endpoint config unique, because neither can be changed.
    """

    endpoint: str
    package_arn: str
    role_arn: str
    variant: Mapping[str, Any]
    token: str
    environment: Mapping[str, str]
    vpc: Mapping[str, Any] | None = None
    network_isolation: bool = False
    kms_key: str | None = None
    rollback_alarms: tuple[str, ...] = ()
    tags: tuple[Mapping[str, str], ...] = ()


def variant(endpoint: EndpointSection) -> dict[str, Any]:
    """Return the machines of the config, as members of a production variant."""
    if endpoint.serverless is not None:
        serverless = endpoint.serverless
        return {
            "ServerlessConfig": {
                "MemorySizeInMB": serverless.memory_mb,
                "MaxConcurrency": serverless.max_concurrency,
            }
        }
    return {
        "InstanceType": endpoint.instance_type,
        "InitialInstanceCount": endpoint.instance_count,
    }


def deploy(sagemaker: Any, deployment: Deployment) -> str:
    """Create the endpoint or update it while it serves; return the endpoint config it replaces.

    That is empty for a new endpoint. If an update fails, the previous model continues to serve.
    Raises AwsError for a package that is not approved, before anything is created.
    """
    with explained(f"deploying {deployment.package_arn}"):
        package = sagemaker.describe_model_package(ModelPackageName=deployment.package_arn)
        if package["ModelApprovalStatus"] != "Approved":
            raise AwsError(
                f"{deployment.package_arn}: expected an approved model package, got the status "
                f"{package['ModelApprovalStatus']}; approve it, or run `longspan deploy` with "
                "--approve"
            )
        name = deployed_name(deployment.endpoint, deployment.package_arn, deployment.token)
        _create_model(sagemaker, name, deployment)
        _create_config(sagemaker, name, deployment)
        return _create_or_update(sagemaker, name, deployment)


def _create_model(sagemaker: Any, name: str, deployment: Deployment) -> None:
    container: dict[str, Any] = {"ModelPackageName": deployment.package_arn}
    if deployment.environment:
        container["Environment"] = dict(deployment.environment)
    optional: dict[str, Any] = {"VpcConfig": deployment.vpc} if deployment.vpc else {}
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=deployment.role_arn,
        Containers=[container],
        EnableNetworkIsolation=deployment.network_isolation,
        Tags=list(deployment.tags),
        **optional,
    )


def _create_config(sagemaker: Any, name: str, deployment: Deployment) -> None:
    variant = {"VariantName": VARIANT, "ModelName": name, **deployment.variant}
    optional = {"KmsKeyId": deployment.kms_key} if deployment.kms_key else {}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant],
        Tags=list(deployment.tags),
        **optional,
    )


def _create_or_update(sagemaker: Any, name: str, deployment: Deployment) -> str:
    pages = sagemaker.get_paginator("list_endpoints").paginate(NameContains=deployment.endpoint)
    names = {found["EndpointName"] for page in pages for found in page["Endpoints"]}
    # NameContains also finds names of which this one is only a part.
    if deployment.endpoint not in names:
        sagemaker.create_endpoint(
            EndpointName=deployment.endpoint, EndpointConfigName=name, Tags=list(deployment.tags)
        )
        return ""
    before = sagemaker.describe_endpoint(EndpointName=deployment.endpoint)["EndpointConfigName"]
    policy = blue_green(deployment.rollback_alarms)
    sagemaker.update_endpoint(
        EndpointName=deployment.endpoint,
        EndpointConfigName=name,
        **({"DeploymentConfig": policy} if policy else {}),
    )
    return str(before)


def roll_back(sagemaker: Any, endpoint: str) -> str:
    """Update an endpoint to the previous endpoint config; return the config's name.

    Raises AwsError if there is none.
    """
    with explained(f"endpoint {endpoint}"):
        now = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        pages = sagemaker.get_paginator("list_endpoint_configs").paginate(
            NameContains=endpoint, SortBy="CreationTime", SortOrder="Descending"
        )
        names = [found["EndpointConfigName"] for page in pages for found in page["EndpointConfigs"]]
        # Newest first: the config after the current one is the previous one. If the current one was
        # made elsewhere, the newest of the project takes its place.
        own = list(filter(endpoint_config_pattern(endpoint).fullmatch, names))
        before = own[own.index(now) + 1 :] if now in own else own
        if not before:
            raise AwsError(
                f"endpoint {endpoint}: expected an endpoint config older than {now}, got none; "
                "`longspan deploy VERSION` deploys another model"
            )
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=before[0])
        return str(before[0])


def blue_green(alarms: Sequence[str]) -> dict[str, Any] | None:
    """Return `DeploymentConfig` of a request, with these CloudWatch alarms; None without alarms.

    A new fleet starts beside the old one, and an alarm brings the old one back:
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
    """
    if not alarms:
        return None
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "ALL_AT_ONCE",
                "WaitIntervalInSeconds": WATCHED_SECONDS,
            },
            "TerminationWaitInSeconds": WATCHED_SECONDS,
            "MaximumExecutionTimeoutInSeconds": 6 * WATCHED_SECONDS,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


def deployed_name(endpoint: str, package_arn: str, token: str) -> str:
    """Return the name of model and endpoint config of a deployment; `token` is six hex digits."""
    version = package_arn.rsplit("/", 1)[-1]
    return f"{endpoint}-v{version}-{token}"


def endpoint_config_pattern(endpoint: str) -> re.Pattern[str]:
    """Return the pattern of the project's endpoint configs.

    Pipelines name them `<endpoint>-<execution>`, deployments outside of them `deployed_name`. A
    common prefix alone would also match another project whose name begins with this one's.
    """
    return re.compile(rf"{re.escape(endpoint)}-({_EXECUTION}|{_DEPLOYED})")


def model_pattern(name: str, endpoint: str) -> re.Pattern[str]:
    """Return the pattern of the project's models.

    Pipelines name them `<name>-<execution>-<suffix>`, deployments outside of them `deployed_name`.
    """
    made = rf"{re.escape(name)}-{_EXECUTION}-[a-zA-Z0-9]{{10}}"
    return re.compile(rf"{made}|{re.escape(endpoint)}-{_DEPLOYED}")
