"""Training jobs: what a request for one means, and how it is run.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from functools import partial

from longspan.infra.local.control.api import Call, Document
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.jobs.records import JobKind
from longspan.infra.local.jobs.service import JobService, Plan, Work
from longspan.infra.local.jobs.training_request import channels, check
from longspan.infra.local.jobs.training_run import TrainingRun
from longspan.infra.local.jobs.training_status import transition

__all__ = ["training_jobs"]

_KIND = JobKind("Training")


def training_jobs(context: Context) -> JobService:
    """A service of the control plane; tuning jobs start theirs here too."""

    def stopping(document: Document) -> None:
        transition(document, "Stopping", "Stopping the training job", context.now())

    return JobService(context, _KIND, partial(_plan, context), stopping)


def _plan(context: Context, call: Call) -> Plan:
    request = call.request
    check(request)
    role = request["RoleArn"]
    clients = context.clients.as_role(role, call.region, request[_KIND.name])
    for channel in channels(request):
        channel.data.check(clients.client("s3"), role, call.region)
    members: Document = {"EnableManagedSpotTraining": False, **request}
    transition(members, "Starting", "Preparing the instances for training", context.now())

    def work(key: Key, job: Document) -> Work:
        return TrainingRun(context, key, clients, job).run

    return Plan(work, members)
