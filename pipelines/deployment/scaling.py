"""Scaling of an endpoint by load: Application Auto Scaling of its one variant.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from dataclasses import dataclass
from typing import Any

from longspan.pipelines.cloud.aws_errors import explained
from longspan.pipelines.cloud.connection import CloudConnection
from longspan.pipelines.config import Config
from longspan.pipelines.deployment.deployment import VARIANT

__all__ = ["ScalingPolicy", "apply_scaling", "scale", "stop_scaling"]

# Invocations per minute and instance.
_METRIC = "SageMakerVariantInvocationsPerInstance"


@dataclass(frozen=True)
class ScalingPolicy:
    """Instances from `minimum` to `maximum`, at `target` invocations per minute and instance.

    `scale_in_seconds` and `scale_out_seconds` are pauses before an instance is removed or added.
    """

    minimum: int
    maximum: int
    target: float
    scale_in_seconds: int
    scale_out_seconds: int


def scale(autoscaling: Any, endpoint: str, scaling: ScalingPolicy) -> None:
    """Let Application Auto Scaling choose the number of instances. Raises AwsError."""
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    with explained(f"autoscaling of {endpoint}"):
        # First, because a policy can only be put on a registered target.
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


def apply_scaling(connection: CloudConnection, config: Config) -> bool:
    """Apply `endpoint.autoscaling` of the config; return whether it is set. Raises AwsError."""
    wanted = config.endpoint.autoscaling
    if wanted is None:
        return False
    scaling = ScalingPolicy(
        minimum=wanted.min_instances,
        maximum=wanted.max_instances,
        target=wanted.target_invocations,
        scale_in_seconds=wanted.scale_in_seconds,
        scale_out_seconds=wanted.scale_out_seconds,
    )
    scale(connection.client("application-autoscaling"), config.endpoint_name, scaling)
    return True


def stop_scaling(autoscaling: Any, endpoint: str) -> None:
    """Remove the scaling of an endpoint, which would outlive the endpoint. Raises AwsError."""
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
