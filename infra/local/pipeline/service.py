"""Pipelines: their definitions and versions, and their executions.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines.html
"""

from collections.abc import Mapping

from longspan.infra.local.control.api import Handler
from longspan.infra.local.control.context import Context
from longspan.infra.local.pipeline.execution.catalog import Catalog
from longspan.infra.local.pipeline.execution.execution_views import ExecutionViews
from longspan.infra.local.pipeline.execution.executions import Executions

__all__ = ["Pipelines"]


class Pipelines:
    """Service for pipelines; steps use the other services through the API."""

    def __init__(self, context: Context) -> None:
        self._catalog = Catalog(context)
        self._views = ExecutionViews(context.documents, self._catalog)
        self._executions = Executions(context, self._catalog)

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            **self._catalog.operations(),
            **self._views.operations(),
            **self._executions.operations(),
        }

    def recover(self) -> None:
        """Set the status Failed of executions that ran when an earlier cloud ended."""
        self._executions.recover()
