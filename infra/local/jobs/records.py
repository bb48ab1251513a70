"""Documents of one kind of job: unique names, statuses, lists.

Training, processing and transform jobs share all of this.
"""

from collections.abc import Callable
from dataclasses import dataclass

from longspan.infra.local.containers.failures import CloudClosed
from longspan.infra.local.control.api import (
    ApiCall,
    Document,
    NotFound,
    ResourceInUse,
    ValidationError,
)
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Exists, Key, Missing
from longspan.infra.local.control.listing import Listing

__all__ = ["JobKind", "Records"]

_ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class JobKind:
    """A kind of job; `title` is its word in the API: Training, Processing, Transform."""

    title: str
    deletable: bool = True  # whether SageMaker has a Delete operation
    order: str = "Descending"  # SortOrder by default
    page_first: bool = False  # whether a list filters by status after it has cut the page

    @property
    def document(self) -> str:
        """Kind of the documents, and resource type in ARNs."""
        return f"{self.title.lower()}-job"

    @property
    def noun(self) -> str:
        """Name of the kind in messages."""
        return f"{self.title.lower()} job"

    @property
    def name(self) -> str:
        """Member with the name."""
        return f"{self.title}JobName"

    @property
    def status(self) -> str:
        """Member with the status."""
        return f"{self.title}JobStatus"

    @property
    def arn(self) -> str:
        """Member with the ARN."""
        return f"{self.title}JobArn"

    @property
    def end(self) -> str:
        """Member with the time of the end."""
        return f"{self.title}EndTime"


class Records:
    """Documents of one kind of job."""

    def __init__(self, context: Context, kind: JobKind) -> None:
        self._context = context
        self._documents = context.documents
        self._kind = kind
        self._listing = Listing(
            name=kind.name,
            status=kind.status,
            default_order=kind.order,
            page_first=kind.page_first,
        )

    def key(self, region: str, name: str) -> Key:
        """Return the key of a job's document."""
        return Key(self._kind.document, region, name)

    def create(self, call: ApiCall, members: Document) -> Document:
        """Create the document of a job: the request, `members`, and the members of all jobs.

        Returns the document. Raises ResourceInUse for a name that is taken.
        """
        kind, now = self._kind, self._context.now()
        name = call.request[kind.name]
        document = {
            **call.request,
            kind.arn: call.arn(f"{kind.document}/{name}"),
            kind.status: "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
            **members,
        }
        try:
            self._documents.create(self.key(call.region, name), document)
        except Exists:
            raise ResourceInUse(
                f"Job name must be unique within an AWS account and region, and a {kind.noun} "
                f"with this name already exists ({document[kind.arn]})"
            ) from None
        return document

    def find(self, call: ApiCall) -> Document:
        """Return the job that a request names. Raises NotFound."""
        name = call.request[self._kind.name]
        found = self._documents.find(self.key(call.region, name))
        if found is None:
            raise self._missing(name)
        return found

    def list(self, call: ApiCall, member: str) -> Document:
        """Return the answer of a List operation."""
        jobs = [document for _, document in self._documents.of(self._kind.document, call.region)]
        return self._listing.answer(member, jobs, call.request)

    def stopping(self, key: Key, edit: Callable[[Document], object] = lambda _: None) -> None:
        """Set the status Stopping of a running job; `edit` adds details of its kind.

        Raises NotFound, and ValidationError for a job that has ended.
        """
        kind = self._kind

        def stop(document: Document) -> None:
            if document[kind.status] in _ENDED:
                raise ValidationError(
                    f"The request was rejected because the {kind.noun} is in status "
                    f"{document[kind.status]}."
                )
            document.update({kind.status: "Stopping", "LastModifiedTime": self._context.now()})
            edit(document)

        try:
            self._documents.edit(key, stop)
        except Missing:
            raise self._missing(key.name) from None

    def delete(self, call: ApiCall) -> None:
        """Delete a job that has ended. Raises NotFound, ValidationError."""
        status = self.find(call)[self._kind.status]
        if status not in _ENDED:
            raise ValidationError(
                f"The request was rejected because the {self._kind.noun} is in status {status}. "
                "Stop it first."
            )
        self._documents.delete(self.key(call.region, call.request[self._kind.name]))

    def recover(self) -> None:
        """Set the status Failed of jobs that ran when an earlier cloud ended."""
        kind, now = self._kind, self._context.now()
        for key, status in self._documents.texts(kind.document, kind.status):
            if status not in _ENDED:
                self._documents.change(
                    key,
                    **{kind.status: "Failed", kind.end: now},
                    FailureReason=str(CloudClosed()),
                    LastModifiedTime=now,
                )

    def _missing(self, name: str) -> NotFound:
        return NotFound(f"Requested resource not found: there is no {self._kind.noun} {name}.")
