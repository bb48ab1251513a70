"""Processing jobs: the operations, and a thread per job that runs it.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from collections.abc import Mapping

from longspan.infra.local.api import Call, Document, Handler
from longspan.infra.local.context import Context
from longspan.infra.local.jobs.processing_request import check, inputs
from longspan.infra.local.jobs.processing_run import ProcessingRun
from longspan.infra.local.jobs.records import JobKind, Records
from longspan.infra.local.jobs.runs import Runs

__all__ = ["ProcessingJobs"]

_KIND = JobKind("Processing")


class ProcessingJobs:
    """A service of the control plane."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = Records(context, _KIND)
        self._runs = Runs()

    def operations(self) -> Mapping[str, Handler]:
        """Handlers by operation name."""
        return {
            "CreateProcessingJob": self._create,
            "DescribeProcessingJob": self._records.find,
            "ListProcessingJobs": self._list,
            "StopProcessingJob": self._stop,
            "DeleteProcessingJob": self._delete,
        }

    def recover(self) -> None:
        """Jobs that ran when an earlier cloud ended have failed."""
        self._records.recover()

    def close(self) -> None:
        """Kill the containers; their jobs have failed."""
        self._runs.close()

    def _create(self, call: Call) -> Document:
        request = call.request
        check(request)
        role, name = request["RoleArn"], request[_KIND.name]
        clients = self._context.clients.as_role(role, call.region, name)
        for item in inputs(request):
            item.check(clients.client("s3"), role, call.region)
        job = self._records.create(call, {})
        key = self._records.key(call.region, name)
        self._runs.start(key, ProcessingRun(self._context, key, clients, job).run)
        return {_KIND.arn: job[_KIND.arn]}

    def _list(self, call: Call) -> Document:
        return self._records.list(call, "ProcessingJobSummaries")

    def _stop(self, call: Call) -> Document:
        key = self._records.key(call.region, call.request[_KIND.name])
        self._records.stopping(key)
        self._runs.stop(key)
        return {}

    def _delete(self, call: Call) -> Document:
        self._records.delete(call)
        return {}
