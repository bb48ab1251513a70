"""Scalable targets and their policies after a restart."""

from pathlib import Path

from longspan.infra.local.moto.persisted.scaling import PersistedScaling
from tests.infra.local.moto.persisted.conftest import REGION, Moto

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/one/variant/main",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


def test_targets_and_policies_come_back_and_go(moto: Moto, tmp_path: Path) -> None:
    scaling = moto.clients.in_region(REGION).client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=3)
    tracking = {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleInCooldown": 300,
    }
    scaling.put_scaling_policy(
        **TARGET,
        PolicyName="by-invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )
    kept = PersistedScaling(tmp_path)
    kept.save(moto.clients, REGION)
    moto.forget()
    PersistedScaling(tmp_path).restore(moto.clients)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (
        TARGET["ResourceId"],
        1,
        3,
    )
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyName"] == "by-invocations"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == tracking

    scaling.deregister_scalable_target(**TARGET)
    kept.save(moto.clients, REGION)
    moto.forget()
    PersistedScaling(tmp_path).restore(moto.clients)
    assert not scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
