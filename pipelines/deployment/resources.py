"""Resources that a project created in an account: find them, then delete them in order.

Names show what belongs to a project: pipeline, model package group and endpoint have its name,
models and endpoint configs match `model_pattern` and `endpoint_config_pattern`, and objects lie
below its prefix. Jobs and their logs cannot be deleted and cost nothing.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from longspan.pipelines.cloud.aws_errors import AwsError, explained
from longspan.pipelines.cloud.connection import CloudConnection
from longspan.pipelines.deployment.deployment import endpoint_config_pattern, model_pattern
from longspan.pipelines.deployment.scaling import stop_scaling

__all__ = ["Project", "ProjectResource", "delete", "find_resources"]


@dataclass(frozen=True)
class Project:
    """Names of a project's pipeline, model package group and endpoint; the place of its objects."""

    name: str
    group: str
    endpoint: str
    bucket: str
    prefix: str


@dataclass(frozen=True)
class ProjectResource:
    """A resource to delete; `note` describes it to the person who is asked."""

    kind: str
    name: str
    note: str = ""


def find_resources(connection: CloudConnection, project: Project) -> list[ProjectResource]:
    """Return all existing resources of the project, in the order to delete. Raises AwsError."""
    sagemaker = connection.client("sagemaker")
    with explained(f"the resources of {project.name}"):
        # Users before what they use: an endpoint before its config, a config before its model.
        return [
            *_endpoints(sagemaker, project),
            *_endpoint_configs(sagemaker, project),
            *_models(sagemaker, project),
            *_packages(sagemaker, project),
            *_pipelines(sagemaker, project),
            *_objects(connection, project),
        ]


def delete(connection: CloudConnection, project: Project, resource: ProjectResource) -> None:
    """Delete a resource, if it still exists. Raises AwsError."""
    clients = connection.client
    name = resource.name
    actions: dict[str, Callable[[], object]] = {
        "endpoint": lambda: _delete_endpoint(connection, name),
        "endpoint config": lambda: clients("sagemaker").delete_endpoint_config(
            EndpointConfigName=name
        ),
        "model": lambda: clients("sagemaker").delete_model(ModelName=name),
        "model package": lambda: clients("sagemaker").delete_model_package(ModelPackageName=name),
        "model package group": lambda: clients("sagemaker").delete_model_package_group(
            ModelPackageGroupName=name
        ),
        "pipeline": lambda: clients("sagemaker").delete_pipeline(
            PipelineName=name, ClientRequestToken=uuid.uuid4().hex
        ),
        "objects": lambda: _delete_objects(clients("s3"), project),
    }
    with explained(f"deleting {resource.kind} {name}"):
        try:
            actions[resource.kind]()
        except ClientError as error:
            # Deleted in the meantime by someone else, which is as good.
            if "Could not find" not in str(error) and "does not exist" not in str(error):
                raise


def _endpoints(sagemaker: Any, project: Project) -> Iterator[ProjectResource]:
    pages = sagemaker.get_paginator("list_endpoints").paginate(NameContains=project.endpoint)
    for page in pages:
        for found in page["Endpoints"]:
            if found["EndpointName"] == project.endpoint:
                yield ProjectResource("endpoint", project.endpoint, found["EndpointStatus"])


def _endpoint_configs(sagemaker: Any, project: Project) -> Iterator[ProjectResource]:
    ours = endpoint_config_pattern(project.endpoint)
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=project.endpoint)
    for page in pages:
        for found in page["EndpointConfigs"]:
            if ours.fullmatch(found["EndpointConfigName"]):
                yield ProjectResource("endpoint config", found["EndpointConfigName"])


def _models(sagemaker: Any, project: Project) -> Iterator[ProjectResource]:
    ours = model_pattern(project.name, project.endpoint)
    # A set, because the endpoint may have the name of the project.
    for part in sorted({project.name, project.endpoint}):
        for page in sagemaker.get_paginator("list_models").paginate(NameContains=part):
            for found in page["Models"]:
                if found["ModelName"].startswith(part) and ours.fullmatch(found["ModelName"]):
                    yield ProjectResource("model", found["ModelName"])


def _packages(sagemaker: Any, project: Project) -> Iterator[ProjectResource]:
    groups = sagemaker.get_paginator("list_model_package_groups").paginate(
        NameContains=project.group
    )
    names = [
        g["ModelPackageGroupName"] for page in groups for g in page["ModelPackageGroupSummaryList"]
    ]
    if project.group not in names:
        return
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=project.group
    )
    for page in pages:
        for found in page["ModelPackageSummaryList"]:
            yield ProjectResource(
                "model package", found["ModelPackageArn"], found["ModelApprovalStatus"]
            )
    # After its packages, since SageMaker deletes only an empty group.
    yield ProjectResource("model package group", project.group)


def _pipelines(sagemaker: Any, project: Project) -> Iterator[ProjectResource]:
    pages = sagemaker.get_paginator("list_pipelines").paginate(PipelineNamePrefix=project.name)
    for page in pages:
        for found in page["PipelineSummaries"]:
            if found["PipelineName"] == project.name:
                yield ProjectResource("pipeline", project.name, "with its executions")


def _objects(connection: CloudConnection, project: Project) -> Iterator[ProjectResource]:
    sizes = [found["Size"] for found in _list_objects(connection.client("s3"), project)]
    if sizes:
        place = f"s3://{project.bucket}/{project.prefix}/"
        yield ProjectResource(
            "objects", place, f"{len(sizes):,} objects, {sum(sizes) / 1e6:,.1f} MB"
        )


def _list_objects(s3: Any, project: Project) -> Iterator[dict[str, Any]]:
    # With the slash: the prefix of another project may begin with this one.
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=project.bucket, Prefix=f"{project.prefix}/"
    )
    for page in pages:
        yield from page.get("Contents", [])


def _delete_objects(s3: Any, project: Project) -> None:
    keys = [{"Key": found["Key"]} for found in _list_objects(s3, project)]
    for start in range(0, len(keys), 1000):  # the most that one request takes
        answer = s3.delete_objects(
            Bucket=project.bucket, Delete={"Objects": keys[start : start + 1000], "Quiet": True}
        )
        # S3 reports objects that it could not delete in a successful answer.
        for failed in answer.get("Errors", ()):
            raise AwsError(f"{failed['Key']}: {failed['Code']}: {failed['Message']}")


def _delete_endpoint(connection: CloudConnection, name: str) -> None:
    """Delete an endpoint and wait until it is gone: its config cannot be deleted before."""
    stop_scaling(connection.client("application-autoscaling"), name)
    sagemaker = connection.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=name)
    # For ten minutes at most.
    sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600}
    )
