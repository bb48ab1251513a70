"""The resource of requests whose services moto asks about `*`, as IAM policies name it.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_applicationautoscaling.html
"""

import json
from typing import Any

__all__ = ["resource_of"]

# Of the operations on a log stream; the others are about its group.
_OF_STREAMS = frozenset({"PutLogEvents", "GetLogEvents"})


def resource_of(action: str, body: bytes | str, region: str, account: str) -> str:
    """The ARN of an action such as `logs:PutLogEvents`; `*` where it is about none, or unknown."""
    service, _, operation = action.partition(":")
    request = _object(body)
    if service == "logs" and request.get("logGroupName"):
        group = f"arn:aws:logs:{region}:{account}:log-group:{request['logGroupName']}"
        stream = request.get("logStreamName")
        return f"{group}:log-stream:{stream}" if stream and operation in _OF_STREAMS else group
    if service == "application-autoscaling" and request.get("ResourceId"):
        # AWS gives a target an identifier of its own.
        return f"arn:aws:{service}:{region}:{account}:scalable-target/{request['ResourceId']}"
    if service == "cloudwatch" and (alarm := _first(request, "AlarmName", "AlarmNames")):
        return f"arn:aws:{service}:{region}:{account}:alarm:{alarm}"
    if service == "ecr" and (repository := _first(request, "repositoryName", "repositoryNames")):
        return f"arn:aws:{service}:{region}:{account}:repository/{repository}"
    return "*"


def _first(request: dict[str, Any], one: str, several: str) -> Any:
    """Of several, as policies name them, the first is asked for."""
    return request.get(one) or next(iter(request.get(several) or ()), None)


def _object(body: bytes | str) -> dict[str, Any]:
    try:
        content = json.loads(body or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
