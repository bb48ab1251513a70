"""Creation of a step's resource through SageMaker's API, with the execution's role.

A `StepResource` names the operations. Every call that fails raises StepFailure.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.pipeline.definition.faults import StepFailure, invoking
from longspan.infra.local.pipeline.definition.resources import StepResource

__all__ = ["Maker"]

_GROUP = "ModelPackageGroupName"
_TOP = 50  # training jobs in the properties of a tuning step, as on AWS


class Maker:
    """Operations on one kind of resource, for a step."""

    def __init__(self, clients: RoleClients, resource: StepResource) -> None:
        self._client = clients.client("sagemaker")
        self._resource = resource

    def create(self, arguments: Mapping[str, Any], name: str) -> str:
        """Create or update the resource; return its ARN."""
        resource = self._resource
        request = dict(arguments)
        if resource.name not in resource.excluded:
            request[resource.name] = name
        if resource.create == "CreateModelPackage" and request.get(_GROUP):
            self._have_group(request[_GROUP])
        if resource.create == "CreateEndpoint" and self.exists(name):
            # UpdateEndpoint takes no tags: an endpoint keeps those that it was created with.
            update = {key: value for key, value in request.items() if key != "Tags"}
            return str(self._call("UpdateEndpoint", **update)[resource.arn])
        return str(self._call(resource.create, **request)[resource.arn])

    def describe(self, arn: str) -> dict[str, Any]:
        """Return the step's properties: Describe's answer, for tuning with the best jobs."""
        resource = self._resource
        # A version of a model package is only identified by its ARN.
        name = arn if resource.excluded else arn.rsplit("/", 1)[-1]
        answer = self._call(resource.describe, **{resource.name: name})
        if resource.also:
            answer["TrainingJobSummaries"] = self._best_jobs(resource.also, answer)
        answer.pop("ResponseMetadata", None)
        return dict(_plain(answer))

    def stop(self, name: str) -> None:
        """Stop the resource, if it still runs."""
        try:
            self._call(self._resource.stop, **{self._resource.name: name})
        except StepFailure as failure:
            # The words with which SageMaker refuses to stop what has ended; the wait then sees its
            # status.
            if "rejected because" not in str(failure):
                raise

    def exists(self, name: str) -> bool:
        """Return whether a resource with this name or ARN exists."""
        method = getattr(self._client, xform_name(self._resource.describe))
        with invoking(f"sagemaker:{self._resource.describe}"):
            try:
                method(**{self._resource.name: name})
            except ClientError as error:
                if _is_missing(error):
                    return False
                raise
        return True

    def _have_group(self, group: str) -> None:
        """Create the group of a model package, unless it exists."""
        try:
            self._call("DescribeModelPackageGroup", **{_GROUP: group})
        except StepFailure as failure:
            # CreateModelPackageGroup takes a name, not an ARN.
            if "does not exist" not in str(failure) or group.startswith("arn:"):
                raise
            try:
                self._call("CreateModelPackageGroup", **{_GROUP: group})
            except StepFailure as other:  # another step created it first
                if "already exists" not in str(other):
                    raise

    def _best_jobs(self, operation: str, job: Mapping[str, Any]) -> list[Any]:
        lower = _objective(job).get("Type") == "Minimize"
        answer = self._call(
            operation,
            **{self._resource.name: job[self._resource.name]},
            SortBy="FinalObjectiveMetricValue",
            SortOrder="Ascending" if lower else "Descending",
            MaxResults=_TOP,
        )
        return list(answer["TrainingJobSummaries"])

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        with invoking(f"sagemaker:{operation}"):
            return dict(getattr(self._client, xform_name(operation))(**request))


def _objective(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the objective of a tuning job, or of the first of several definitions."""
    several = job.get("TrainingJobDefinitions") or [{}]
    found = job["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective")
    return dict(found or several[0].get("TuningObjective") or {})


def _is_missing(error: ClientError) -> bool:
    found = error.response["Error"]
    message = found.get("Message", "")
    return found["Code"] == "ResourceNotFound" or any(
        words in message for words in ("Could not find", "not found", "does not exist")
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON, with times in ISO 8601."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
