"""Existing endpoints: list them, wait for one, translate with one."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from longspan.pipelines.cloud.aws_errors import AwsError, explained

__all__ = ["ListedEndpoint", "ask", "list_endpoints", "wait_in_service"]


@dataclass(frozen=True)
class ListedEndpoint:
    """An entry in the list of endpoints."""

    name: str
    status: str
    reason: str
    capacity: str
    models: str
    since: datetime


def list_endpoints(sagemaker: Any) -> list[ListedEndpoint]:
    """Return all endpoints of the account and region, newest first. Raises AwsError."""
    with explained("the list of endpoints"):
        pages = sagemaker.get_paginator("list_endpoints").paginate(SortBy="CreationTime")
        names = [found["EndpointName"] for page in pages for found in page["Endpoints"]]
        return [_listed(sagemaker, name) for name in names]


def _listed(sagemaker: Any, name: str) -> ListedEndpoint:
    found = sagemaker.describe_endpoint(EndpointName=name)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    variants = config["ProductionVariants"]
    return ListedEndpoint(
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


def wait_in_service(
    sagemaker: Any,
    endpoint: str,
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Yield the status of the endpoint each time it changes, until it is InService.

    Asks every `interval` seconds. Raises AwsError with the reason if the endpoint fails or an
    update is rolled back.
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
    # After a rollback the endpoint is InService again, with the reason of the failure.
    if status != "InService" or found.get("FailureReason"):
        raise AwsError(
            f"endpoint {endpoint}: expected InService, got {status}: "
            f"{found.get('FailureReason', 'no reason given')}"
        )


def ask(runtime: Any, endpoint: str, text: str) -> str:
    """Return the translation of `text` by an endpoint that is in service. Raises AwsError."""
    with explained(f"endpoint {endpoint}"):
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="application/json",
            Body=json.dumps({"instances": [{"data": text}]}),  # format of the built-in algorithm
        )
        content = json.loads(answer["Body"].read())
    return str(content["predictions"][0]["target"])
