"""Operations that start, stop, retry and update executions; each runs in a thread.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartPipelineExecution.html
"""

from collections.abc import Mapping
from typing import Any

from longspan.infra.local.containers.failures import CloudClosed
from longspan.infra.local.control.api import (
    ApiCall,
    Conflict,
    Document,
    Handler,
    ValidationError,
)
from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.pipeline.definition.definition import PipelineDefinition
from longspan.infra.local.pipeline.definition.parameters import bind
from longspan.infra.local.pipeline.definition.parsing import read_definition
from longspan.infra.local.pipeline.execution.catalog import Catalog
from longspan.infra.local.pipeline.execution.execution_run import ExecutionRun
from longspan.infra.local.pipeline.execution.execution_views import get_execution
from longspan.infra.local.pipeline.execution.names import execution_id
from longspan.infra.local.pipeline.execution.records import (
    EXECUTION,
    EXECUTION_ENDED,
    EXECUTION_STATUS,
    abandon,
    execution_key,
)
from longspan.infra.local.pipeline.execution.selection import check_selected, outside, reused

__all__ = ["Executions"]

_ARN, _TOKEN = "PipelineExecutionArn", "ClientRequestToken"
_PARALLELISM, _SELECTION = "ParallelismConfiguration", "SelectiveExecutionConfig"


class Executions:
    """Executions, a part of the service for pipelines."""

    def __init__(self, context: Context, catalog: Catalog) -> None:
        self._context = context
        self._documents = context.documents
        self._catalog = catalog

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            "StartPipelineExecution": self._start,
            "UpdatePipelineExecution": self._update,
            "StopPipelineExecution": self._stop,
            "RetryPipelineExecution": self._retry,
        }

    def recover(self) -> None:
        """Set the status Failed of executions that ran when an earlier cloud ended."""
        for key, status in self._documents.texts(EXECUTION, EXECUTION_STATUS):
            if status not in EXECUTION_ENDED:
                self._abandon(key)

    def _start(self, call: ApiCall) -> Document:
        request = call.request
        if request.get("PipelineVersionAlias"):
            raise ValidationError(
                "PipelineVersionAlias is not supported by the local cloud: use PipelineVersionId."
            )
        pipeline = self._catalog.find(call, request["PipelineName"])
        earlier = self._started_by(call, pipeline["PipelineArn"])
        if earlier is not None:
            return {_ARN: earlier}
        version = self._catalog.version(call, pipeline, request.get("PipelineVersionId"))
        text = version["PipelineDefinition"]
        definition = read_definition(text)
        role = request.get("RoleArn") or pipeline["RoleArn"]
        arn = f"{pipeline['PipelineArn']}/execution/{execution_id()}"
        clients = self._clients(role, call.region, arn)
        now = self._context.now()
        document = {
            _SELECTION: request.get(_SELECTION),
            "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
            "PipelineName": pipeline["PipelineName"],
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineVersionId": version["PipelineVersionId"],
            _ARN: arn,
            "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName")
            or f"execution-{round(now * 1000)}",
            _PARALLELISM: request.get(_PARALLELISM) or pipeline.get(_PARALLELISM),
            EXECUTION_STATUS: "Executing",
            "RoleArn": role,
            "CreationTime": now,
            "LastModifiedTime": now,
            "CreatedBy": {},
            "LastModifiedBy": {},
            "_Token": request[_TOKEN],
            "_Definition": text,
            "_DefinitionTime": version["CreationTime"],
            "_Parameters": bind(definition.parameters, request.get("PipelineParameters", ())),
            "_Steps": self._reused(call, definition, pipeline["PipelineArn"]),
        }
        # All that can refuse the request comes before this: the role, the parameters, the
        # selection.
        key = execution_key(call.region, arn)
        self._documents.create(key, document)
        self._catalog.ran(call, pipeline["PipelineName"], version["PipelineVersionId"], arn)
        self._run(key, clients)
        return {_ARN: arn}

    def _started_by(self, call: ApiCall, pipeline: str) -> str | None:
        """Return the execution that an earlier copy of the same request started, or None."""
        for _, document in self._documents.of(EXECUTION, call.region):
            if (document["PipelineArn"], document["_Token"]) == (pipeline, call.request[_TOKEN]):
                return str(document[_ARN])
        return None

    def _clients(self, role: str, region: str, arn: str) -> RoleClients:
        """Return clients of the execution's role. Raises ValidationError for an unknown role."""
        name = f"pipeline-{arn.rsplit('/', 1)[-1]}"
        return self._context.clients.as_role(role, region, name)

    def _reused(
        self, call: ApiCall, definition: PipelineDefinition, pipeline: str
    ) -> dict[str, Any]:
        """Return the first records of a selective execution. Raises ValidationError."""
        chosen = call.request.get(_SELECTION)
        if chosen is None:
            return {}
        names = [step["StepName"] for step in chosen["SelectedSteps"]]
        selected = check_selected(definition, names)
        source, arn = None, chosen.get("SourcePipelineExecutionArn")
        if arn is not None:
            source = self._documents.find(execution_key(call.region, arn))
            if source is None or source[_ARN] != arn or source["PipelineArn"] != pipeline:
                raise ValidationError(
                    f"Invalid SourcePipelineExecutionArn: {arn} is not an execution of {pipeline}."
                )
        return dict(reused(list(outside(definition, selected)), selected, source))

    def _run(self, key: Key, clients: RoleClients) -> None:
        run = ExecutionRun(self._context, key, clients)
        self._context.threads.start(key, lambda _: run.run())

    def _update(self, call: ApiCall) -> Document:
        get_execution(self._documents, call)
        members = (
            "PipelineExecutionDescription",
            "PipelineExecutionDisplayName",
            _PARALLELISM,
        )
        given = {member: call.request[member] for member in members if call.request.get(member)}
        key = execution_key(call.region, call.request[_ARN])
        self._documents.change(key, **given, LastModifiedTime=self._context.now())
        return {_ARN: call.request[_ARN]}

    def _stop(self, call: ApiCall) -> Document:
        """Set the status Stopping, for the execution's thread to see."""
        get_execution(self._documents, call)

        def stop(document: Document) -> None:
            if document[EXECUTION_STATUS] in EXECUTION_ENDED:
                raise Conflict(
                    f"Pipeline execution with ARN '{document[_ARN]}' is in status "
                    f"'{document[EXECUTION_STATUS]}'. Only pipeline executions with 'Executing' "
                    "status can be stopped."
                )
            document.update({EXECUTION_STATUS: "Stopping", "LastModifiedTime": self._context.now()})

        self._documents.edit(execution_key(call.region, call.request[_ARN]), stop)
        return {_ARN: call.request[_ARN]}

    def _retry(self, call: ApiCall) -> Document:
        """Run an execution again, with the results of the steps that succeeded."""
        found, request = get_execution(self._documents, call), call.request
        # A copy of the request that has started the retry already.
        if found[EXECUTION_STATUS] == "Executing" and found.get("_RetryToken") == request[_TOKEN]:
            return {_ARN: found[_ARN]}
        clients = self._clients(found["RoleArn"], call.region, found[_ARN])

        def retry(document: Document) -> None:
            if document[EXECUTION_STATUS] not in ("Failed", "Stopped"):
                raise Conflict(
                    f"Pipeline execution with ARN '{document[_ARN]}' is in status "
                    f"'{document[EXECUTION_STATUS]}'. Only pipeline executions with 'Failed' or "
                    "'Stopped' status can be retried."
                )
            document["_Steps"] = {
                # A step that failed starts anew, as if it had never run.
                name: record
                for name, record in document["_Steps"].items()
                if record["StepStatus"] == "Succeeded"
            }
            document.pop("FailureReason", None)
            document.update(
                {EXECUTION_STATUS: "Executing", "LastModifiedTime": self._context.now()},
                _RetryToken=request[_TOKEN],
            )
            if request.get(_PARALLELISM):
                document[_PARALLELISM] = request[_PARALLELISM]

        key = execution_key(call.region, found[_ARN])
        self._documents.edit(key, retry)
        self._run(key, clients)
        return {_ARN: found[_ARN]}

    def _abandon(self, key: Key) -> None:
        now, reason = self._context.now(), str(CloudClosed())
        self._documents.edit(key, lambda document: abandon(document, reason, now))
