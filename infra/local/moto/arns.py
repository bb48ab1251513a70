"""The resource that a request is about, as IAM policies name it.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
"""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["resource", "resource_of", "resources"]

# The part of the ARN, and the request's members that may hold the name or the whole ARN.
_RESOURCES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "TrainingJob": ("training-job", ("TrainingJobName",)),
    "ProcessingJob": ("processing-job", ("ProcessingJobName",)),
    "TransformJob": ("transform-job", ("TransformJobName",)),
    "HyperParameterTuningJob": ("hyper-parameter-tuning-job", ("HyperParameterTuningJobName",)),
    "TrainingJobsForHyperParameterTuningJob": (
        "hyper-parameter-tuning-job",
        ("HyperParameterTuningJobName",),
    ),
    "Model": ("model", ("ModelName",)),
    "EndpointConfig": ("endpoint-config", ("EndpointConfigName",)),
    "Endpoint": ("endpoint", ("EndpointName",)),
    "EndpointWeightsAndCapacities": ("endpoint", ("EndpointName",)),
    "ModelPackageGroup": ("model-package-group", ("ModelPackageGroupName",)),
    "ModelPackage": ("model-package", ("ModelPackageName", "ModelPackageArn")),
    "Pipeline": ("pipeline", ("PipelineName",)),
    "PipelineExecution": ("pipeline", ("PipelineExecutionArn", "PipelineName")),
    "PipelineExecutions": ("pipeline", ("PipelineName",)),
    "PipelineVersion": ("pipeline", ("PipelineArn",)),
    "PipelineVersions": ("pipeline", ("PipelineName",)),
    "PipelineExecutionSteps": ("pipeline", ("PipelineExecutionArn",)),
    "PipelineParametersForExecution": ("pipeline", ("PipelineExecutionArn",)),
    "PipelineDefinitionForExecution": ("pipeline", ("PipelineExecutionArn",)),
    "Tags": ("", ("ResourceArn",)),
}
_VERBS = ("Create", "Describe", "Update", "Delete", "Stop", "Start", "Retry", "Add", "List")


def resources(
    operation: str, request: Mapping[str, Any], region: str, account: str
) -> tuple[str, ...]:
    """All ARNs that must be allowed for this request: an endpoint's and its config's, else one."""
    first = resource(operation, request, region, account)
    if operation in ("CreateEndpoint", "UpdateEndpoint"):
        return first, resource("DescribeEndpointConfig", request, region, account)
    return (first,)


def resource(operation: str, request: Mapping[str, Any], region: str, account: str) -> str:
    """The ARN that a policy must allow for this request; `*` where AWS has no resource.

    A version of a model package and an execution of a pipeline have longer ARNs than their
    parents; the ARN that came is used as it is. The number of a new version is not known yet, and
    a list is of all of them.
    """
    of_versions = operation in ("CreateModelPackage", "ListModelPackages")
    if of_versions and request.get("ModelPackageGroupName"):
        group = str(request["ModelPackageGroupName"]).rpartition("/")[2]
        return f"arn:aws:sagemaker:{region}:{account}:model-package/{group}/*"
    for verb in _VERBS:
        found = _RESOURCES.get(operation.removeprefix(verb))
        if operation.startswith(verb) and found is not None:
            part, members = found
            name = next((request[m] for m in members if request.get(m)), None)
            if isinstance(name, str):
                is_arn = name.startswith("arn:")
                return name if is_arn else f"arn:aws:sagemaker:{region}:{account}:{part}/{name}"
    return "*"


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
