"""Run of one execution: start steps that are ready, within the limit of parallel steps.

All state is in the execution's document, so that a retry can continue from there.
"""

import logging
from collections.abc import Set

from longspan.infra.local.containers.failures import CloudClosed, shorten
from longspan.infra.local.control.api import Document
from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.control.threads import Signals
from longspan.infra.local.pipeline.definition.parsing import read_definition
from longspan.infra.local.pipeline.execution.records import (
    EXECUTION_STATUS,
    STEP_ENDED,
    abandon,
    new_record,
)
from longspan.infra.local.pipeline.execution.schedule import Schedule
from longspan.infra.local.pipeline.execution.step_run import StepRun

__all__ = ["ExecutionRun"]

_PARALLEL = 50  # steps at once, by default
_LONGEST_REASON = 3072


class ExecutionRun:
    """Run of one execution in its thread, until its status is a last one."""

    def __init__(self, context: Context, key: Key, clients: RoleClients) -> None:
        """`clients` have the permissions of the execution's role."""
        self._context = context
        self._documents = context.documents
        self._key = key
        self._clients = clients
        # One `stop` for all steps of the execution, in place of the signals of each thread.
        self._signals = Signals(close=context.threads.closing)
        document = self._documents.get(key)
        self._definition = read_definition(document["_Definition"])
        self._selected = _selected(document, frozenset(self._definition.steps))

    def run(self) -> None:
        """Run the execution until its status is a last one."""
        try:
            while self._go_on():
                pass
        except Exception as error:
            logging.getLogger(__name__).exception("execution %s", self._key.name)
            self._signals.stop.set()
            self._abandon(f"InternalServerError: {type(error).__name__}: {error}")

    def _go_on(self) -> bool:
        """Start ready steps, and wait for the next change; return False at the end."""
        document = self._documents.get(self._key)
        if self._signals.close.is_set():
            self._abandon(str(CloudClosed()))
            return False
        schedule = Schedule(self._definition, self._selected, document["_Steps"])
        stopping = document[EXECUTION_STATUS] == "Stopping"
        if stopping and not self._signals.stop.is_set():
            self._stop_steps()
        ready = () if stopping else schedule.ready
        free = _most(document) - len(schedule.running)  # negative after a lower limit
        for name in ready[: max(free, 0)]:
            self._start(name)
        if not ready and not schedule.running:
            self._conclude(schedule)
            return False
        if not ready or free <= 0:  # else steps were started: look again
            self._wait(document)
        return True

    def _wait(self, seen: Document) -> None:
        """Wait until a step ends, or a user stops the execution or changes its limits."""
        # Compared with the document of this round: a change since then ends the wait at once.
        ended, wanted = _ended(seen), (seen[EXECUTION_STATUS], _most(seen))
        self._documents.wait(
            self._key,
            lambda document: (
                _ended(document) != ended
                or (document[EXECUTION_STATUS], _most(document)) != wanted
                or self._signals.close.is_set()
            ),
        )

    def _start(self, name: str) -> None:
        step, now = self._definition.steps[name], self._context.now()

        def add(document: Document) -> None:
            # Not the number of records, some of which a retry removes.
            number = 1 + max((r["_Number"] for r in document["_Steps"].values()), default=0)
            document["_Steps"][name] = new_record(step, number, now)
            document["LastModifiedTime"] = now

        self._documents.edit(self._key, add)
        # After the record, without which the next round would start the step again.
        run = StepRun(
            self._context, self._key, self._definition, step, self._clients, self._signals
        )
        key = Key("step", self._key.region, f"{self._key.name}/{name}")
        self._context.threads.start(key, lambda _: run.run())

    def _stop_steps(self) -> None:
        """Set the stop signal of running steps; the change of the document wakes them."""
        self._signals.stop.set()

        def stop(document: Document) -> None:
            for record in document["_Steps"].values():
                if record["StepStatus"] not in STEP_ENDED:
                    record["StepStatus"] = "Stopping"
            document["LastModifiedTime"] = self._context.now()

        self._documents.edit(self._key, stop)

    def _conclude(self, schedule: Schedule) -> None:
        """Set the last status: the outcome of the steps, or Stopped if a user stops just now."""

        def conclude(document: Document) -> None:
            stopping = document[EXECUTION_STATUS] == "Stopping"
            status = "Stopped" if stopping else schedule.conclusion
            document.update({EXECUTION_STATUS: status, "LastModifiedTime": self._context.now()})
            if status == "Failed":
                document["FailureReason"] = _reason(schedule)

        self._documents.edit(self._key, conclude)

    def _abandon(self, reason: str) -> None:
        now = self._context.now()
        self._documents.edit(self._key, lambda document: abandon(document, reason, now))


def _selected(document: Document, everything: Set[str]) -> Set[str]:
    chosen = document.get("SelectiveExecutionConfig")
    if chosen is None:
        return everything
    return frozenset(step["StepName"] for step in chosen["SelectedSteps"])


def _most(document: Document) -> int:
    """Return how many steps may run at once."""
    found = document.get("ParallelismConfiguration") or {}
    return int(found.get("MaxParallelExecutionSteps", _PARALLEL))


def _ended(document: Document) -> int:
    records = document["_Steps"].values()
    return sum(record["StepStatus"] in STEP_ENDED for record in records)


def _reason(schedule: Schedule) -> str:
    """Return AWS's message, followed by the failed steps and their reasons."""
    causes = [
        f"{name}: {schedule.records[name].get('FailureReason') or 'it was stopped'}"
        for name in schedule.unhandled
    ]
    text = f"Step failure: One or multiple steps failed. {'; '.join(causes)}"
    return shorten(text, _LONGEST_REASON)
