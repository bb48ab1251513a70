"""Batch transform jobs: what a request for one means, and how it is run.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from functools import partial

from longspan.infra.local.control.api import Call, Document, NotFound
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.jobs.records import JobKind
from longspan.infra.local.jobs.service import JobService, Plan, Work
from longspan.infra.local.jobs.transform_request import Batches
from longspan.infra.local.jobs.transform_run import TransformRun
from longspan.infra.local.models.container import ModelContainer

__all__ = ["transform_jobs"]

_KIND = JobKind("Transform", deletable=False)


def transform_jobs(context: Context) -> JobService:
    """A service of the control plane."""
    return JobService(context, _KIND, partial(_plan, context))


def _plan(context: Context, call: Call) -> Plan:
    batches = Batches.parse(call.request)
    model = _model(context, call)
    clients = context.clients.as_role(model.role, call.region, call.request[_KIND.name])
    batches.data.check(clients.client("s3"), model.role, call.region)

    def work(key: Key, job: Document) -> Work:
        return TransformRun(context, key, clients, job, model).run

    return Plan(work, {})


def _model(context: Context, call: Call) -> ModelContainer:
    """Raises NotFound, in AWS's words."""
    name = call.request["ModelName"]
    found = context.documents.find(Key("model", call.region, name))
    if found is None:
        raise NotFound(f'Could not find model "{call.arn(f"model/{name}")}".')
    return ModelContainer.of(found, context.documents, call.region)
