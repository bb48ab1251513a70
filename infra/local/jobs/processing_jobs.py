"""Processing jobs: what a request for one means, and how it is run.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from functools import partial

from longspan.infra.local.control.api import Call, Document
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.jobs.processing_request import check, inputs
from longspan.infra.local.jobs.processing_run import ProcessingRun
from longspan.infra.local.jobs.records import JobKind
from longspan.infra.local.jobs.service import JobService, Plan, Work

__all__ = ["processing_jobs"]

_KIND = JobKind("Processing")


def processing_jobs(context: Context) -> JobService:
    """A service of the control plane."""
    return JobService(context, _KIND, partial(_plan, context))


def _plan(context: Context, call: Call) -> Plan:
    request = call.request
    check(request)
    role = request["RoleArn"]
    clients = context.clients.as_role(role, call.region, request[_KIND.name])
    for item in inputs(request):
        item.check(clients.client("s3"), role, call.region)

    def work(key: Key, job: Document) -> Work:
        return ProcessingRun(context, key, clients, job).run

    return Plan(work, {})
