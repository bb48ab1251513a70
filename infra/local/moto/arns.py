"""ARNs of the resources that requests act on, as IAM policies name them.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
"""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["resource", "resource_of", "resources"]

# By resource: its type in ARNs, and the request's members with its name or ARN.
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
    # To start an execution names the pipeline, all other operations the execution.
    "PipelineExecution": ("pipeline", ("PipelineExecutionArn", "PipelineName")),
    "PipelineExecutions": ("pipeline", ("PipelineName",)),
    "PipelineVersion": ("pipeline", ("PipelineArn",)),
    "PipelineVersions": ("pipeline", ("PipelineName",)),
    "PipelineExecutionSteps": ("pipeline", ("PipelineExecutionArn",)),
    "PipelineParametersForExecution": ("pipeline", ("PipelineExecutionArn",)),
    "PipelineDefinitionForExecution": ("pipeline", ("PipelineExecutionArn",)),
    "Tags": ("", ("ResourceArn",)),  # always an ARN, which is returned unchanged
}
_VERBS = ("Create", "Describe", "Update", "Delete", "Stop", "Start", "Retry", "Add", "List")


def resources(
    operation: str, request: Mapping[str, Any], region: str, account: str
) -> tuple[str, ...]:
    """Return the ARNs that a policy must allow: two for an endpoint and its config, else one."""
    first = resource(operation, request, region, account)
    if operation in ("CreateEndpoint", "UpdateEndpoint"):
        return first, resource("DescribeEndpointConfig", request, region, account)
    return (first,)


def resource(operation: str, request: Mapping[str, Any], region: str, account: str) -> str:
    """Return the ARN that a policy must allow for a request; `*` for operations without one.

    An ARN in the request is returned unchanged, since versions of model packages and executions
    of pipelines have longer ARNs than their parents. To create or list versions of a model
    package returns `.../*`: the number of a new version is not known yet.
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


# Operations on a log stream; the others act on its group.
_OF_STREAMS = frozenset({"PutLogEvents", "GetLogEvents"})


def resource_of(action: str, body: bytes | str, region: str, account: str) -> str:
    """Return the ARN that an action such as `logs:PutLogEvents` acts on; `*` if there is none.

    moto itself asks about `*` for these services:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_applicationautoscaling.html
    """
    service, _, operation = action.partition(":")
    request = _object(body)
    if service == "logs" and request.get("logGroupName"):
        group = f"arn:aws:logs:{region}:{account}:log-group:{request['logGroupName']}"
        stream = request.get("logStreamName")
        return f"{group}:log-stream:{stream}" if stream and operation in _OF_STREAMS else group
    if service == "application-autoscaling" and request.get("ResourceId"):
        # AWS's ARN has a generated identifier here.
        return f"arn:aws:{service}:{region}:{account}:scalable-target/{request['ResourceId']}"
    if service == "cloudwatch" and (alarm := _first(request, "AlarmName", "AlarmNames")):
        return f"arn:aws:{service}:{region}:{account}:alarm:{alarm}"
    if service == "ecr" and (repository := _first(request, "repositoryName", "repositoryNames")):
        return f"arn:aws:{service}:{region}:{account}:repository/{repository}"
    return "*"


def _first(request: dict[str, Any], one: str, several: str) -> Any:
    """Return a request's only name, or the first of several."""
    return request.get(one) or next(iter(request.get(several) or ()), None)


def _object(body: bytes | str) -> dict[str, Any]:
    try:
        content = json.loads(body or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
