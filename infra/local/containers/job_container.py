"""What a job's container is given beside its data: who it is, and how it reaches the cloud."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longspan.infra.local.control.clients import RoleClients

__all__ = ["role_environment", "write_config"]


def role_environment(clients: RoleClients, *, isolated: bool) -> dict[str, str]:
    """Variables that lead boto3 to the local cloud with the role's rights; none when isolated."""
    region = {"AWS_REGION": clients.region, "AWS_DEFAULT_REGION": clients.region}
    if isolated:
        return region
    credentials = clients.credentials
    return {
        **region,
        "AWS_ENDPOINT_URL": clients.url,
        "AWS_ACCESS_KEY_ID": credentials.key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret,
        **({"AWS_SESSION_TOKEN": credentials.token} if credentials.token else {}),
    }


def write_config(path: Path, content: Mapping[str, Any]) -> None:
    """One of the JSON files that the container contract names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
