"""Operations on pipelines and on the versions of their definitions.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePipeline.html
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from longspan.infra.local.control.api import (
    ApiCall,
    Conflict,
    Document,
    Handler,
    ResourceNotFound,
    ValidationError,
)
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Exists, Key
from longspan.infra.local.control.listing import Listing
from longspan.infra.local.pipeline.definition.parsing import read_definition
from longspan.infra.local.pipeline.execution.records import (
    EXECUTION,
    EXECUTION_ENDED,
    EXECUTION_STATUS,
    PIPELINE,
    PIPELINE_VERSION,
    version_key,
)

__all__ = ["Catalog"]

_NAME, _DEFINITION, _LOCATION = "PipelineName", "PipelineDefinition", "PipelineDefinitionS3Location"
_PIPELINES = Listing(name=_NAME)
# By number, which is the order of creation without equal times.
_VERSIONS = Listing(name=_NAME, sort_keys={"CreationTime": "PipelineVersionId"})
# Members that an update copies from the request.
_UPDATED = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
_VERSION_NAMES = ("PipelineVersionDisplayName", "PipelineVersionDescription")


class Catalog:
    """Pipelines and their versions, a part of the service for pipelines."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents = context.documents

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            "CreatePipeline": self._create,
            "DescribePipeline": self._describe,
            "UpdatePipeline": self._update,
            "DeletePipeline": self._delete,
            "ListPipelines": self._list,
            "ListPipelineVersions": self._list_versions,
            "UpdatePipelineVersion": self._update_version,
        }

    def find(self, call: ApiCall, name: str) -> Document:
        """Return a pipeline by its name or ARN. Raises ResourceNotFound."""
        found = self._documents.find(_key(call.region, name))
        if found is None:
            raise ResourceNotFound(f"Pipeline '{_short(name)}' does not exist.")
        return found

    def version(self, call: ApiCall, pipeline: Document, version: int | None) -> Document:
        """Return a version of a pipeline, by default the last one. Raises ResourceNotFound."""
        number = version or pipeline["_LastVersion"]
        found = self._documents.find(version_key(call.region, pipeline[_NAME], number))
        if found is None:
            raise ResourceNotFound(
                f"Pipeline '{pipeline[_NAME]}' has no version {number}; the last one is "
                f"{pipeline['_LastVersion']}."
            )
        return found

    def ran(self, call: ApiCall, pipeline: str, version: int, execution: str) -> None:
        """Store that an execution of a pipeline was started."""
        now = self._context.now()
        self._documents.change(_key(call.region, pipeline), LastRunTime=now)
        key = version_key(call.region, pipeline, version)
        self._documents.change(key, LastExecutionPipelineExecutionArn=execution)

    def _create(self, call: ApiCall) -> Document:
        request = call.request
        _refuse_aliases(request)
        name, token = request[_NAME], request["ClientRequestToken"]
        arn = call.arn(f"{PIPELINE}/{name}")
        key = _key(call.region, name)
        earlier = self._documents.find(key)
        # The same token marks a copy of the same request, which boto3 sends after a lost response.
        if earlier is not None and earlier["_Token"] == token:
            return {"PipelineArn": arn}
        definition = _definition_text(self._context, call, request["RoleArn"])
        now = self._context.now()
        document = {
            **{member: request.get(member) for member in (_NAME, "Tags", *_UPDATED)},
            "PipelineDisplayName": request.get("PipelineDisplayName") or name,
            "PipelineArn": arn,
            "PipelineStatus": "Active",
            "CreationTime": now,
            "LastModifiedTime": now,
            "CreatedBy": {},
            "LastModifiedBy": {},
            "Tags": request.get("Tags", []),
            "_Token": token,
            "_LastVersion": 1,
        }
        first = {version_key(call.region, name, 1): self._version(call, name, 1, definition)}
        try:
            self._documents.create(key, document, first)
        except Exists:
            raise ValidationError(
                "Pipeline names must be unique within an AWS account and region. Pipeline with "
                f"name ({name}) already exists."
            ) from None
        return {"PipelineArn": arn}

    def _version(self, call: ApiCall, name: str, number: int, definition: str) -> Document:
        """Return the document of a new version."""
        return {
            _NAME: name,
            "PipelineArn": call.arn(f"{PIPELINE}/{name}"),
            "PipelineVersionId": number,
            "CreationTime": self._context.now(),
            _DEFINITION: definition,
        }

    def _describe(self, call: ApiCall) -> Document:
        _refuse_aliases(call.request)
        pipeline = self.find(call, call.request[_NAME])
        version = self.version(call, pipeline, call.request.get("PipelineVersionId"))
        shown = {member: version.get(member) for member in (_DEFINITION, *_VERSION_NAMES)}
        return {**pipeline, **shown}

    def _update(self, call: ApiCall) -> Document:
        """Update a pipeline; a different definition adds a version."""
        request = call.request
        _refuse_aliases(request)
        pipeline = self.find(call, request[_NAME])
        definition = None
        if request.get(_DEFINITION) or request.get(_LOCATION):
            role = request.get("RoleArn") or pipeline["RoleArn"]
            definition = _definition_text(self._context, call, role)
        given = {member: request[member] for member in _UPDATED if request.get(member)}

        def update(document: Document) -> None:
            if definition not in (None, self.version(call, document, None)[_DEFINITION]):
                number = document["_LastVersion"] = document["_LastVersion"] + 1
                # The version exists before the pipeline names it as the last one. One that a crash
                # left without that is replaced.
                self._documents.put(
                    version_key(call.region, document[_NAME], number),
                    self._version(call, document[_NAME], number, str(definition)),
                )
            document.update(given, LastModifiedTime=self._context.now())

        # One edit: of two updates at the same time, each adds a version of its own.
        updated = self._documents.edit(_key(call.region, pipeline[_NAME]), update)
        return {"PipelineArn": updated["PipelineArn"], "PipelineVersionId": updated["_LastVersion"]}

    def _delete(self, call: ApiCall) -> Document:
        """Delete a pipeline with its versions and executions, but not what they created."""
        pipeline = self.find(call, call.request[_NAME])
        arn = pipeline["PipelineArn"]
        executions = [
            (key, document)
            for key, document in self._documents.of(EXECUTION, call.region)
            if document["PipelineArn"] == arn
        ]
        running = [
            d["PipelineExecutionArn"]
            for _, d in executions
            if d[EXECUTION_STATUS] not in EXECUTION_ENDED
        ]
        if running:
            raise Conflict(
                f"Pipeline '{pipeline[_NAME]}' cannot be deleted: {', '.join(running)} is running. "
                "Stop it first."
            )
        for key, _ in executions:
            self._documents.delete(key)
        for version in range(1, 1 + pipeline["_LastVersion"]):
            self._documents.delete(version_key(call.region, pipeline[_NAME], version))
        # Last: until then the name stays taken, so that no new pipeline meets these versions.
        self._documents.delete(_key(call.region, pipeline[_NAME]))
        return {"PipelineArn": arn}

    def _list(self, call: ApiCall) -> Document:
        prefix = call.request.get("PipelineNamePrefix", "")
        found = [
            {**document, "LastExecutionTime": document.get("LastRunTime")}
            for _, document in self._documents.of(PIPELINE, call.region)
            if document[_NAME].startswith(prefix)
        ]
        page, token = _PIPELINES.page(found, call.request)
        return {"PipelineSummaries": [_shown(one) for one in page], "NextToken": token}

    def _list_versions(self, call: ApiCall) -> Document:
        pipeline = self.find(call, call.request[_NAME])
        found = [
            document
            for _, document in self._documents.of(PIPELINE_VERSION, call.region)
            if document[_NAME] == pipeline[_NAME]
        ]
        page, token = _VERSIONS.page(found, call.request)
        return {"PipelineVersionSummaries": [_shown(one) for one in page], "NextToken": token}

    def _update_version(self, call: ApiCall) -> Document:
        if call.request.get("PipelineVersionAliasOperations"):
            raise ValidationError(
                "PipelineVersionAliasOperations is not supported by the local cloud: leave it out."
            )
        pipeline = self.find(call, call.request["PipelineArn"])
        number = call.request["PipelineVersionId"]
        self.version(call, pipeline, number)
        names = {name: call.request[name] for name in _VERSION_NAMES if name in call.request}
        self._documents.change(version_key(call.region, pipeline[_NAME], number), **names)
        return {"PipelineArn": pipeline["PipelineArn"], "PipelineVersionId": number}


def _refuse_aliases(request: Mapping[str, object]) -> None:
    for member in ("PipelineVersionAlias", "PipelineVersionAliases"):
        if request.get(member):
            raise ValidationError(
                f"{member} is not supported by the local cloud: use PipelineVersionId."
            )


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _key(region: str, name: str) -> Key:
    return Key(PIPELINE, region, _short(name))


def _shown(document: Document) -> Document:
    """Return the summary of a pipeline or version for lists, without the definition."""
    return {
        name: value
        for name, value in document.items()
        if not name.startswith("_") and name != _DEFINITION and value is not None
    }


def _definition_text(context: Context, call: ApiCall, role: str) -> str:
    """Return the checked definition of a request, read from S3 if it is there.

    Raises ValidationError, also for a role that does not exist.
    """
    text, location = call.request.get(_DEFINITION), call.request.get(_LOCATION)
    if (text is None) == (location is None):
        raise ValidationError(f"Give either {_DEFINITION} or {_LOCATION}, and not both.")
    # Assume the role now, so that an unknown role is an error before the first start.
    clients = context.clients.as_role(role, call.region, "pipeline")
    found = _fetch(clients.client("s3"), location) if location else str(text)
    read_definition(found)
    return found


def _fetch(s3: Any, location: Mapping[str, str]) -> str:
    where = {"Bucket": location["Bucket"], "Key": location["ObjectKey"]}
    if location.get("VersionId"):
        where["VersionId"] = location["VersionId"]
    try:
        body: bytes = s3.get_object(**where)["Body"].read()
        return body.decode("utf-8")
    except (ClientError, UnicodeDecodeError) as error:
        raise ValidationError(
            f"Unable to read the pipeline definition at s3://{where['Bucket']}/{where['Key']}: "
            f"{error}"
        ) from None
