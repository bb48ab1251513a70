"""Batch transform jobs: the operations, and a thread per job that runs it.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from collections.abc import Mapping

from longspan.infra.local.api import Call, Document, Handler, NotFound
from longspan.infra.local.context import Context
from longspan.infra.local.documents import Key
from longspan.infra.local.jobs.records import JobKind, Records
from longspan.infra.local.jobs.runs import Runs
from longspan.infra.local.jobs.transform_request import Plan
from longspan.infra.local.jobs.transform_run import TransformRun
from longspan.infra.local.serving.model_container import ModelContainer

__all__ = ["TransformJobs"]

_KIND = JobKind("Transform")


class TransformJobs:
    """A service of the control plane."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = Records(context, _KIND)
        self._runs = Runs()

    def operations(self) -> Mapping[str, Handler]:
        """Handlers by operation name."""
        return {
            "CreateTransformJob": self._create,
            "DescribeTransformJob": self._records.find,
            "ListTransformJobs": self._list,
            "StopTransformJob": self._stop,
        }

    def recover(self) -> None:
        """Jobs that ran when an earlier cloud ended have failed."""
        self._records.recover()

    def close(self) -> None:
        """Kill the containers; their jobs have failed."""
        self._runs.close()

    def _create(self, call: Call) -> Document:
        plan = Plan.parse(call.request)
        model = self._model(call)
        name = call.request[_KIND.name]
        clients = self._context.clients.as_role(model.role, call.region, name)
        plan.data.check(clients.client("s3"), model.role, call.region)
        job = self._records.create(call, {})
        key = self._records.key(call.region, name)
        self._runs.start(key, TransformRun(self._context, key, clients, job, model).run)
        return {_KIND.arn: job[_KIND.arn]}

    def _model(self, call: Call) -> ModelContainer:
        """Raises NotFound, in AWS's words."""
        name = call.request["ModelName"]
        found = self._context.documents.find(Key("model", call.region, name))
        if found is None:
            raise NotFound(f'Could not find model "{call.arn(f"model/{name}")}".')
        return ModelContainer.of(found, self._context.documents, call.region)

    def _list(self, call: Call) -> Document:
        return self._records.list(call, "TransformJobSummaries")

    def _stop(self, call: Call) -> Document:
        key = self._records.key(call.region, call.request[_KIND.name])
        self._records.stopping(key)
        self._runs.stop(key)
        return {}
