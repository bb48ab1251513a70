"""How an endpoint is updated under watch: a new fleet beside the old one, back when an alarm rings.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from collections.abc import Sequence
from typing import Any

__all__ = ["WATCHED_SECONDS", "blue_green"]

# For as long alarms can bring the old fleet back; then it is kept for as long again.
WATCHED_SECONDS = 600


def blue_green(alarms: Sequence[str]) -> dict[str, Any] | None:
    """A request's `DeploymentConfig` with names of CloudWatch alarms; None without any."""
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
