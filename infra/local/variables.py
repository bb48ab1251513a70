"""Variables and the SDK's file of defaults, by which programs on this machine use a local cloud.

https://sagemaker.readthedocs.io/en/stable/overview.html#configuring-and-using-defaults-with-the-sagemaker-python-sdk
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longspan.infra.local.moto.account import Account
from longspan.training.files import write_atomically

__all__ = ["cloud_variables", "write_sdk_defaults"]

_HOST = "127.0.0.1"
_DEFAULTS = "sagemaker.json"  # JSON is YAML, which the SDK reads
# Parts of the SDK's file that have a role, with the key of the role.
_ROLES = {
    "Model": "ExecutionRoleArn",
    "Pipeline": "RoleArn",
    "ProcessingJob": "RoleArn",
    "TrainingJob": "RoleArn",
}


def cloud_variables(url: str, account: Account, around: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the cloud at `url`; `around` is this process's environment."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account.administrator.key,
        "AWS_SECRET_ACCESS_KEY": account.administrator.secret,
        "AWS_DEFAULT_REGION": account.region,
        "LONGSPAN_ROLE_ARN": account.role_arn,
        "LONGSPAN_BUCKET": account.bucket,
        **_without_proxy(around),
    }


def _without_proxy(around: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep requests to this machine, and their keys, from a proxy."""
    # Programs read one or the other name, and Python the small one first.
    names = ("NO_PROXY", "no_proxy") if "no_proxy" in around else ("NO_PROXY",)
    return {name: _with_host(around.get(name, "")) for name in names}


def _with_host(hosts: str) -> str:
    found = [host.strip() for host in hosts.split(",") if host.strip()]
    return ",".join(found if _HOST in found or "*" in found else [*found, _HOST])


def write_sdk_defaults(directory: Path, account: Account) -> dict[str, str]:
    """Write the SDK's defaults: bucket, role, no telemetry. Return the variable that names them."""
    modules = {"TelemetryOptOut": True, "Session": {"DefaultS3Bucket": account.bucket}}
    content: dict[str, Any] = {"PythonSDK": {"Modules": modules}}
    content |= {part: {role: account.role_arn} for part, role in _ROLES.items()}
    path = directory / _DEFAULTS
    document = {"SchemaVersion": "1.0", "SageMaker": content}
    write_atomically(path, json.dumps(document, indent=2).encode())
    return {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(path)}
