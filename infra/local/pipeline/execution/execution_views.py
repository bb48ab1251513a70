"""Describe and List operations of executions.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribePipelineExecution.html
"""

from collections.abc import Mapping

from longspan.infra.local.control.api import ApiCall, Document, Handler, ResourceNotFound
from longspan.infra.local.control.documents import Documents
from longspan.infra.local.control.listing import Listing
from longspan.infra.local.pipeline.definition.parameters import parameter_text
from longspan.infra.local.pipeline.execution.catalog import Catalog
from longspan.infra.local.pipeline.execution.records import (
    EXECUTION,
    EXECUTION_STATUS,
    execution_key,
    public,
)

__all__ = ["ExecutionViews", "get_execution"]

_ARN = "PipelineExecutionArn"
_EXECUTIONS = Listing(name=_ARN, status=EXECUTION_STATUS)
# The SDK reads one page of steps only, so a page has as many as the API allows.
_STEPS = Listing(name="StepName", created="_Number", modified="_Number", default_page=100)
_PARAMETERS = Listing(
    name="Name", created="_Number", modified="_Number", default_order="Ascending", default_page=100
)
# Members of a summary -> members of the document.
_SUMMARY: Mapping[str, str] = {
    _ARN: _ARN,
    "StartTime": "CreationTime",
    EXECUTION_STATUS: EXECUTION_STATUS,
    "PipelineExecutionDescription": "PipelineExecutionDescription",
    "PipelineExecutionDisplayName": "PipelineExecutionDisplayName",
    "PipelineExecutionFailureReason": "FailureReason",
}


def get_execution(documents: Documents, call: ApiCall) -> Document:
    """Return the execution that a request names by its ARN. Raises ResourceNotFound."""
    arn = call.request.get(_ARN, "")
    found = documents.find(execution_key(call.region, arn))
    if found is None or found[_ARN] != arn:
        raise ResourceNotFound(f"Pipeline execution with ARN '{arn}' does not exist.")
    return found


class ExecutionViews:
    """Read-only operations on executions, a part of the service for pipelines."""

    def __init__(self, documents: Documents, catalog: Catalog) -> None:
        self._documents = documents
        self._catalog = catalog

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            "DescribePipelineExecution": self._find,
            "DescribePipelineDefinitionForExecution": self._describe_definition,
            "ListPipelineExecutions": self._list,
            "ListPipelineExecutionSteps": self._list_steps,
            "ListPipelineParametersForExecution": self._list_parameters,
        }

    def _find(self, call: ApiCall) -> Document:
        return get_execution(self._documents, call)

    def _describe_definition(self, call: ApiCall) -> Document:
        found = self._find(call)
        return {
            "PipelineDefinition": found["_Definition"],
            "CreationTime": found["_DefinitionTime"],
        }

    def _list(self, call: ApiCall) -> Document:
        arn = self._catalog.find(call, call.request["PipelineName"])["PipelineArn"]
        found = [
            document
            for _, document in self._documents.of(EXECUTION, call.region)
            if document["PipelineArn"] == arn
        ]
        page, token = _EXECUTIONS.page(found, call.request)
        return {"PipelineExecutionSummaries": [_summary(one) for one in page], "NextToken": token}

    def _list_steps(self, call: ApiCall) -> Document:
        """List the steps of an execution, by default newest first, as on AWS."""
        records = self._find(call)["_Steps"].values()
        page, token = _STEPS.page(records, call.request)
        return {"PipelineExecutionSteps": public(page), "NextToken": token}

    def _list_parameters(self, call: ApiCall) -> Document:
        values = self._find(call)["_Parameters"]
        found = [
            {"Name": name, "Value": parameter_text(value), "_Number": number}
            for number, (name, value) in enumerate(values.items(), 1)
        ]
        page, token = _PARAMETERS.page(found, call.request)
        return {"PipelineParameters": public(page), "NextToken": token}


def _summary(document: Document) -> Document:
    """Return the summary of an execution for lists."""
    return {name: document[member] for name, member in _SUMMARY.items() if document.get(member)}
