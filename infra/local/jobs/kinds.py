"""Services of training, processing and transform jobs: how each kind checks and runs a request.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from functools import partial

from longspan.infra.local.control.api import ApiCall, Document, NotFound
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.jobs.processing_request import check_processing_request, inputs
from longspan.infra.local.jobs.processing_run import ProcessingRun
from longspan.infra.local.jobs.records import JobKind
from longspan.infra.local.jobs.service import JobPlan, JobService, JobWork
from longspan.infra.local.jobs.training_request import channels, check_training_request
from longspan.infra.local.jobs.training_run import TrainingRun
from longspan.infra.local.jobs.training_status import transition
from longspan.infra.local.jobs.transform_request import Batches
from longspan.infra.local.jobs.transform_run import TransformRun
from longspan.infra.local.models.container import ModelContainer

__all__ = ["processing_job_service", "training_job_service", "transform_job_service"]

# The reference says Ascending in one place; its example, and AWS, begin with the newest job.
_TRAINING = JobKind("Training", page_first=True)
_PROCESSING = JobKind("Processing", order="Ascending")
# SageMaker has no DeleteTransformJob.
_TRANSFORM = JobKind("Transform", deletable=False)


def training_job_service(context: Context) -> JobService:
    """Return the service of training jobs, which also starts those of tuning jobs."""

    def stopping(document: Document) -> None:
        transition(document, "Stopping", "Stopping the training job", context.now())

    return JobService(context, _TRAINING, partial(_plan_training, context), stopping)


def _plan_training(context: Context, call: ApiCall) -> JobPlan:
    request = call.request
    check_training_request(request)
    role = request["RoleArn"]
    clients = context.clients.as_role(role, call.region, request[_TRAINING.name])
    for channel in channels(request):
        channel.data.check(clients.client("s3"), role, call.region)
    members: Document = {}
    transition(members, "Starting", "Preparing the instances for training", context.now())

    def work(key: Key, job: Document) -> JobWork:
        return TrainingRun(context, key, clients, job).run

    return JobPlan(work, members)


def processing_job_service(context: Context) -> JobService:
    """Return the service of processing jobs."""
    return JobService(context, _PROCESSING, partial(_plan_processing, context))


def _plan_processing(context: Context, call: ApiCall) -> JobPlan:
    request = call.request
    check_processing_request(request)
    role = request["RoleArn"]
    clients = context.clients.as_role(role, call.region, request[_PROCESSING.name])
    for item in inputs(request):
        item.check(clients.client("s3"), role, call.region)

    def work(key: Key, job: Document) -> JobWork:
        return ProcessingRun(context, key, clients, job).run

    return JobPlan(work, {})


def transform_job_service(context: Context) -> JobService:
    """Return the service of transform jobs."""
    return JobService(context, _TRANSFORM, partial(_plan_transform, context))


def _plan_transform(context: Context, call: ApiCall) -> JobPlan:
    batches = Batches.parse(call.request)
    model = _model(context, call)
    clients = context.clients.as_role(model.role, call.region, call.request[_TRANSFORM.name])
    batches.data.check(clients.client("s3"), model.role, call.region)

    def work(key: Key, job: Document) -> JobWork:
        return TransformRun(context, key, clients, job, model).run

    return JobPlan(work, {})


def _model(context: Context, call: ApiCall) -> ModelContainer:
    """Return the container of the request's model. Raises NotFound, in AWS's words."""
    name = call.request["ModelName"]
    found = context.documents.find(Key("model", call.region, name))
    if found is None:
        raise NotFound(f'Could not find model "{call.arn(f"model/{name}")}".')
    return ModelContainer.of(found, context.documents, call.region)
