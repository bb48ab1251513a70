"""Statuses of a training job, with their times.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SecondaryStatusTransition.html
"""

from typing import Any

from longspan.infra.local.containers.failures import shorten
from longspan.infra.local.control.api import Document
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key

__all__ = ["TrainingStatus", "transition"]

_MESSAGES = {
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job stopped: it ran for as long as it may",
}


def transition(document: Document, status: str, message: str, now: float) -> None:
    """End the present secondary status, and enter another one."""
    transitions = document.setdefault("SecondaryStatusTransitions", [])
    if transitions:
        transitions[-1]["EndTime"] = now
    transitions.append({"Status": status, "StartTime": now, "StatusMessage": message})
    document.update(SecondaryStatus=status, LastModifiedTime=now)


class TrainingStatus:
    """Status of one job, in its document."""

    def __init__(self, context: Context, key: Key) -> None:
        self._context = context
        self._key = key

    def enter(self, status: str, message: str) -> None:
        """Enter a secondary status, unless the job is stopping, which stays visible."""
        now = self._context.now()

        def edit(document: Document) -> None:
            # A job that stops still uploads its model, and shows that.
            if document["TrainingJobStatus"] == "InProgress" or status == "Uploading":
                transition(document, status, message, now)

        self._context.documents.edit(self._key, edit)

    def train(self) -> None:
        """Set the time at which the containers start."""
        self._context.documents.change(self._key, TrainingStartTime=self._context.now())

    def trained(self) -> None:
        """Set the seconds for which the containers ran; at least one is billed."""
        now = self._context.now()
        seconds = max(1, round(now - self._context.documents.get(self._key)["TrainingStartTime"]))
        self._context.documents.change(
            self._key, TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds
        )

    def end(self, status: str, secondary: str, reason: str, members: dict[str, Any]) -> None:
        """Set the last status and `members` in one change, for readers that wait for it."""
        now = self._context.now()

        def edit(document: Document) -> None:
            message = shorten(reason) if reason else _MESSAGES[secondary]
            transition(document, secondary, message, now)
            document["SecondaryStatusTransitions"][-1]["EndTime"] = now
            document.update(members, TrainingJobStatus=status, TrainingEndTime=now)
            if reason:
                document["FailureReason"] = shorten(reason)

        self._context.documents.edit(self._key, edit)
