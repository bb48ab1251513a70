"""How an endpoint scales: Application Auto Scaling of its one variant.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from dataclasses import dataclass
from typing import Any

from longspan.pipelines.cloud.aws_errors import explained
from longspan.pipelines.cloud.connection import CloudConnection
from longspan.pipelines.config import Config
from longspan.pipelines.deployment.deployment import VARIANT

__all__ = ["ScalingPolicy", "apply_scaling", "scale", "stop_scaling"]

# Scale by invocations a minute and instance.
_METRIC = "SageMakerVariantInvocationsPerInstance"


@dataclass(frozen=True)
class ScalingPolicy:
    """Instances between `minimum` and `maximum`, at `target` invocations a minute and instance.

    The pauses before an instance is given back and before one is added are in seconds.
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
    """Let the config's endpoint scale as it says; whether it does. Raises AwsError."""
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
