"""State of Application Auto Scaling of endpoints: scalable targets and their policies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.documents import load_json, save_json

__all__ = ["PersistedScaling"]

_NAMESPACE = "sagemaker"


class PersistedScaling:
    """State of Application Auto Scaling; each region is a file in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def restore(self, clients: Clients) -> None:
        """Register all targets, then put their policies, which need them."""
        for path in sorted(self._directory.glob("*.json")):
            client = clients.in_region(path.stem).client("application-autoscaling")
            saved = load_json(path)
            for target in saved["targets"]:
                client.register_scalable_target(
                    **_accepted(client, "RegisterScalableTarget", target)
                )
            for policy in saved["policies"]:
                client.put_scaling_policy(**_accepted(client, "PutScalingPolicy", policy))

    def save(self, clients: Clients, region: str) -> None:
        """Save all targets and policies of a region."""
        client = clients.in_region(region).client("application-autoscaling")
        targets = client.describe_scalable_targets(ServiceNamespace=_NAMESPACE)
        policies = client.describe_scaling_policies(ServiceNamespace=_NAMESPACE)
        saved = {
            "targets": [
                _accepted(client, "RegisterScalableTarget", found)
                for found in targets["ScalableTargets"]
            ],
            "policies": [
                _accepted(client, "PutScalingPolicy", found)
                for found in policies["ScalingPolicies"]
            ],
        }
        save_json(self._directory / f"{region}.json", saved)


def _accepted(client: Any, operation: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an answer that the operation's request accepts."""
    members = client.meta.service_model.operation_model(operation).input_shape.members
    return {name: answer[name] for name in members if name in answer}
