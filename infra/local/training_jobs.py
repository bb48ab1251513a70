"""Training jobs: the operations, and a thread per job that runs it.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

import contextlib
from collections.abc import Mapping

from longspan.infra.local.api import Call, Document, Handler
from longspan.infra.local.context import Context
from longspan.infra.local.documents import Key, Missing
from longspan.infra.local.jobs.metrics import METRICS
from longspan.infra.local.jobs.records import JobKind, Records
from longspan.infra.local.jobs.runs import Runs
from longspan.infra.local.jobs.training_request import channels, check
from longspan.infra.local.jobs.training_run import TrainingRun
from longspan.infra.local.jobs.training_status import transition

__all__ = ["TrainingJobs"]

_KIND = JobKind("Training")


class TrainingJobs:
    """A service of the control plane; tuning jobs start theirs here too."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = Records(context, _KIND)
        self._runs = Runs()

    def operations(self) -> Mapping[str, Handler]:
        """Handlers by operation name."""
        return {
            "CreateTrainingJob": self._create,
            "DescribeTrainingJob": self._records.find,
            "ListTrainingJobs": self._list,
            "StopTrainingJob": self._stop,
            "DeleteTrainingJob": self._delete,
        }

    def recover(self) -> None:
        """Jobs that ran when an earlier cloud ended have failed."""
        self._records.recover()

    def close(self) -> None:
        """Kill the containers; their jobs have failed."""
        self._runs.close()

    def start(self, call: Call, *, extra: Document | None = None) -> str:
        """Start a job; its ARN. `extra` are members that a tuning job adds.

        Raises ApiError.
        """
        request = call.request
        check(request)
        role, name = request["RoleArn"], request["TrainingJobName"]
        clients = self._context.clients.as_role(role, call.region, name)
        for channel in channels(request):
            channel.data.check(clients.client("s3"), role, call.region)
        members: Document = {"EnableManagedSpotTraining": False, **request, **(extra or {})}
        message = "Preparing the instances for training"
        transition(members, "Starting", message, self._context.now())
        job = self._records.create(call, members)
        key = self._records.key(call.region, name)
        self._runs.start(key, TrainingRun(self._context, key, clients, job).run)
        return str(job[_KIND.arn])

    def stop(self, region: str, name: str) -> None:
        """Ask a job to stop. Raises NotFound, and ValidationError when it has ended."""
        key = self._records.key(region, name)

        def stopping(document: Document) -> None:
            transition(document, "Stopping", "Stopping the training job", self._context.now())

        self._records.stopping(key, stopping)
        self._runs.stop(key)

    def _create(self, call: Call) -> Document:
        return {_KIND.arn: self.start(call)}

    def _list(self, call: Call) -> Document:
        return self._records.list(call, "TrainingJobSummaries")

    def _stop(self, call: Call) -> Document:
        self.stop(call.region, call.request[_KIND.name])
        return {}

    def _delete(self, call: Call) -> Document:
        self._records.delete(call)
        with contextlib.suppress(Missing):  # of a cloud that crashed before there were any
            self._context.documents.delete(Key(METRICS, call.region, call.request[_KIND.name]))
        return {}
