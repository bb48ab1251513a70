"""Application Auto Scaling of endpoints: what was registered, and its policies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.documents import load_json, save_json

__all__ = ["PersistedScaling"]

_NAMESPACE = "sagemaker"


class PersistedScaling:
    """Each region is a file in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def restore(self, clients: Clients) -> None:
        """Targets first, which policies need."""
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
        """All of it: it is little."""
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
    """The members of an answer that the operation takes."""
    members = client.meta.service_model.operation_model(operation).input_shape.members
    return {name: answer[name] for name in members if name in answer}
