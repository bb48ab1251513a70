"""Service of one kind of job: its operations, and a thread per job.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Service.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from longspan.infra.local.control.api import ApiCall, Document, Handler
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.control.threads import Signals
from longspan.infra.local.jobs.records import JobKind, Records

__all__ = ["JobPlan", "JobService", "JobWork"]

JobWork: TypeAlias = Callable[[Signals], None]


@dataclass(frozen=True)
class JobPlan:
    """A valid request: members of the new document, and a function that returns the work."""

    work: Callable[[Key, Document], JobWork]
    members: Document


class JobService:
    """Service of one kind of job; `plan` checks a request, and may raise ApiError."""

    def __init__(
        self,
        context: Context,
        kind: JobKind,
        plan: Callable[[ApiCall], JobPlan],
        stopping: Callable[[Document], object] = lambda document: None,
    ) -> None:
        """`stopping` adds to the document of a job that must stop the details of its kind."""
        self._kind = kind
        self._plan = plan
        self._stopping = stopping
        self._records = Records(context, kind)
        self._documents = context.documents
        self._threads = context.threads

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        title = self._kind.title
        delete: dict[str, Handler] = {f"Delete{title}Job": self._delete}
        return {
            f"Create{title}Job": self._create,
            f"Describe{title}Job": self._records.find,
            f"List{title}Jobs": self._list,
            f"Stop{title}Job": self._stop,
            **(delete if self._kind.deletable else {}),
        }

    def recover(self) -> None:
        """Set the status Failed of jobs that ran when an earlier cloud ended."""
        self._records.recover()

    def start(self, call: ApiCall, *, extra: Document | None = None) -> str:
        """Start a job; return its ARN. `extra` are members of its document. Raises ApiError."""
        # The document exists before the thread, so that each list shows a job that runs.
        plan = self._plan(call)
        job = self._records.create(call, {**plan.members, **(extra or {})})
        key = self._records.key(call.region, call.request[self._kind.name])
        try:
            work = plan.work(key, job)
        except BaseException:
            self._documents.delete(key)  # no thread would end this job
            raise
        self._threads.start(key, work)
        return str(job[self._kind.arn])

    def stop(self, region: str, name: str) -> None:
        """Ask a job to stop. Raises NotFound, and ValidationError for a job that has ended."""
        key = self._records.key(region, name)
        # The status first: once the thread has the signal, it may write the last status.
        self._records.stopping(key, self._stopping)
        self._threads.stop(key)

    def _create(self, call: ApiCall) -> Document:
        return {self._kind.arn: self.start(call)}

    def _list(self, call: ApiCall) -> Document:
        return self._records.list(call, f"{self._kind.title}JobSummaries")

    def _stop(self, call: ApiCall) -> Document:
        self.stop(call.region, call.request[self._kind.name])
        return {}

    def _delete(self, call: ApiCall) -> Document:
        self._records.delete(call)
        return {}
