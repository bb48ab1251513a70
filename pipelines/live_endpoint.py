"""Endpoints outside of a pipeline: deploy an approved package, scale, list, ask.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy.html
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from longspan.pipelines.aws_errors import AwsError, explained
from longspan.pipelines.blue_green import blue_green
from longspan.pipelines.config import Config
from longspan.pipelines.config.delivery import Endpoint
from longspan.pipelines.connection import Connection
from longspan.pipelines.made_names import deployed_name, endpoint_config_pattern

__all__ = [
    "VARIANT",
    "Deployment",
    "Listed",
    "Scaling",
    "apply_scaling",
    "ask",
    "deploy",
    "list_endpoints",
    "roll_back",
    "scale",
    "stop_scaling",
    "variant",
    "wait_in_service",
]

# Scale by invocations a minute and instance.
_METRIC = "SageMakerVariantInvocationsPerInstance"
VARIANT = "AllTraffic"


@dataclass(frozen=True)
class Scaling:
    """Instances between `minimum` and `maximum`, at `target` invocations a minute and instance.

    The pauses before an instance is given back and before one is added are in seconds.
    """

    minimum: int
    maximum: int
    target: float
    scale_in_seconds: int
    scale_out_seconds: int


@dataclass(frozen=True)
class Deployment:
    """What to deploy where: the request of one production variant, as CreateEndpointConfig has it.

    `token`, six random hex digits, makes the names of model and endpoint config, which cannot be
    changed, unlike those of the deployments before.
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


@dataclass(frozen=True)
class Listed:
    """An endpoint as a list shows it."""

    name: str
    status: str
    reason: str
    capacity: str
    models: str
    since: datetime


def list_endpoints(sagemaker: Any) -> list[Listed]:
    """All endpoints of the account and region, newest first. Raises AwsError."""
    with explained("the list of endpoints"):
        pages = sagemaker.get_paginator("list_endpoints").paginate(SortBy="CreationTime")
        names = [found["EndpointName"] for page in pages for found in page["Endpoints"]]
        return [_listed(sagemaker, name) for name in names]


def _listed(sagemaker: Any, name: str) -> Listed:
    found = sagemaker.describe_endpoint(EndpointName=name)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    variants = config["ProductionVariants"]
    return Listed(
        name=name,
        status=found["EndpointStatus"],
        reason=found.get("FailureReason", ""),
        capacity=", ".join(map(_capacity, variants)),
        models=", ".join(variant["ModelName"] for variant in variants),
        since=found["LastModifiedTime"],
    )


def _capacity(variant: Mapping[str, Any]) -> str:
    if "ServerlessConfig" in variant:
        return f"serverless {variant['ServerlessConfig']['MemorySizeInMB']} MB"
    return f"{variant['InitialInstanceCount']} {variant['InstanceType']}"


def variant(endpoint: Endpoint) -> dict[str, Any]:
    """What the config says of machines, as a production variant has it."""
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
    """Create the endpoint, or update it while it serves; the endpoint config it replaces, if any.

    An update that fails rolls back: what served goes on serving. Raises AwsError, before anything
    is made, for a package that is not approved.
    """
    with explained(f"deploying {deployment.package_arn}"):
        package = sagemaker.describe_model_package(ModelPackageName=deployment.package_arn)
        if package["ModelApprovalStatus"] != "Approved":
            raise AwsError(
                f"{deployment.package_arn}: expected an approved model package, its status is "
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
    """Update an endpoint to the newest endpoint config before its own; the name of that.

    Raises AwsError when there is none.
    """
    with explained(f"endpoint {endpoint}"):
        now = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        pages = sagemaker.get_paginator("list_endpoint_configs").paginate(
            NameContains=endpoint, SortBy="CreationTime", SortOrder="Descending"
        )
        names = [found["EndpointConfigName"] for page in pages for found in page["EndpointConfigs"]]
        own = list(filter(endpoint_config_pattern(endpoint).fullmatch, names))
        before = own[own.index(now) + 1 :] if now in own else own
        if not before:
            raise AwsError(
                f"endpoint {endpoint}: expected an endpoint config before {now}, found none; "
                "`longspan deploy VERSION` deploys another model"
            )
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=before[0])
        return str(before[0])


def wait_in_service(
    sagemaker: Any,
    endpoint: str,
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """The endpoint's status whenever it changes, until it is InService.

    Raises AwsError with the reason when it fails, or when an update was rolled back.
    """
    last = ""
    while True:
        with explained(f"endpoint {endpoint}"):
            found = sagemaker.describe_endpoint(EndpointName=endpoint)
        status = found["EndpointStatus"]
        if status != last:
            yield status
            last = status
        if status not in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
            break
        sleep(interval)
    if status != "InService" or found.get("FailureReason"):
        raise AwsError(
            f"endpoint {endpoint} is {status}: {found.get('FailureReason', 'no reason given')}"
        )


def scale(autoscaling: Any, endpoint: str, scaling: Scaling) -> None:
    """Let Application Auto Scaling choose the number of instances. Raises AwsError."""
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    with explained(f"autoscaling of {endpoint}"):
        autoscaling.register_scalable_target(
            **target, MinCapacity=scaling.minimum, MaxCapacity=scaling.maximum
        )
        autoscaling.put_scaling_policy(
            **target,
            PolicyName=f"{endpoint}-invocations",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": scaling.target,
                "ScaleInCooldown": scaling.scale_in_seconds,
                "ScaleOutCooldown": scaling.scale_out_seconds,
                "PredefinedMetricSpecification": {"PredefinedMetricType": _METRIC},
            },
        )


def apply_scaling(connection: Connection, config: Config) -> bool:
    """Let the config's endpoint scale as it says; whether it does. Raises AwsError."""
    wanted = config.endpoint.autoscaling
    if wanted is None:
        return False
    scaling = Scaling(
        minimum=wanted.min_instances,
        maximum=wanted.max_instances,
        target=wanted.target_invocations,
        scale_in_seconds=wanted.scale_in_seconds,
        scale_out_seconds=wanted.scale_out_seconds,
    )
    scale(connection.client("application-autoscaling"), config.endpoint_name, scaling)
    return True


def stop_scaling(autoscaling: Any, endpoint: str) -> None:
    """Forget how an endpoint scales, which would outlive it. Raises AwsError."""
    with explained(f"autoscaling of {endpoint}"):
        found = autoscaling.describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{endpoint}/variant/{VARIANT}"]
        )["ScalableTargets"]
        for target in found:
            autoscaling.deregister_scalable_target(
                **{
                    name: target[name]
                    for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")
                }
            )


def ask(runtime: Any, endpoint: str, text: str) -> str:
    """One translation by an endpoint that is in service. Raises AwsError."""
    with explained(f"endpoint {endpoint}"):
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="application/json",
            Body=json.dumps({"instances": [{"data": text}]}),
        )
        content = json.loads(answer["Body"].read())
    return str(content["predictions"][0]["target"])
