"""Run of one step from Starting to its end, in a thread; its state is in its record."""

import logging
from collections.abc import Mapping
from typing import Any

from longspan.infra.local.containers.failures import shorten
from longspan.infra.local.control.api import Document
from longspan.infra.local.control.clients import RoleClients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key, Missing
from longspan.infra.local.control.threads import Signals
from longspan.infra.local.pipeline.definition.conditions import holds
from longspan.infra.local.pipeline.definition.definition import PipelineDefinition, PipelineStep
from longspan.infra.local.pipeline.definition.expressions import evaluate_expression
from longspan.infra.local.pipeline.definition.faults import StepFailure, fault_of_reason
from longspan.infra.local.pipeline.definition.paths import Unresolved
from longspan.infra.local.pipeline.definition.resources import StepResource
from longspan.infra.local.pipeline.execution.cache import cache_key, earlier_result
from longspan.infra.local.pipeline.execution.makers import Maker
from longspan.infra.local.pipeline.execution.names import resource_name
from longspan.infra.local.pipeline.execution.records import STEP_ENDED
from longspan.infra.local.pipeline.execution.values import ExecutionValues

__all__ = ["StepRun"]

# Secondary statuses of training jobs that a time limit stopped.
_LIMITS = ("MaxRuntimeExceeded", "MaxWaitTimeExceeded")


class _Stopped(Exception):
    """The step was stopped."""


class _Closing(Exception):
    """The local cloud ends; the execution records the end of the step."""


class StepRun:
    """Run of a step of the execution at `key`, which has a record for the step."""

    def __init__(
        self,
        context: Context,
        key: Key,
        definition: PipelineDefinition,
        step: PipelineStep,
        clients: RoleClients,
        signals: Signals,
    ) -> None:
        self._context = context
        self._documents = context.documents
        self._key = key
        self._definition = definition
        self._step = step
        self._clients = clients
        self._signals = signals
        self._started = context.now()

    def run(self) -> None:
        """Run the step until its status is a last one."""
        try:
            self._work()
        # `ExecutionRun` writes the end of all its steps in one edit.
        except _Closing:
            pass
        except _Stopped:
            self._end("Stopped")
        except StepFailure as failure:
            self._end("Failed", FailureReason=shorten(str(failure)))
        except (Unresolved, ValueError) as error:
            self._end("Failed", FailureReason=shorten(f"ClientError: {error}"))
        except Missing:
            self._end("Failed", FailureReason="ClientError: What the step made was deleted.")
        except Exception as error:
            logging.getLogger(__name__).exception("step %s", self._step.name)
            reason = f"InternalServerError: {type(error).__name__}: {error}"
            self._end("Failed", FailureReason=shorten(reason))

    def _work(self) -> None:
        resource = self._step.resource
        if resource is not None:
            self._make(resource, Maker(self._clients, resource))
        elif self._step.type == "Condition":
            self._decide()
        else:
            message = str(
                evaluate_expression(self._step.arguments.get("ErrorMessage", ""), self._values())
            )
            metadata = {"Fail": {"ErrorMessage": shorten(message, 3072)}}
            self._end("Failed", Metadata=metadata, FailureReason=shorten(message))

    def _decide(self) -> None:
        values = self._values()
        outcome = all(holds(one, values) for one in self._step.arguments["Conditions"])
        self._end("Succeeded", Metadata={"Condition": {"Outcome": str(outcome)}})

    def _make(self, resource: StepResource, maker: Maker) -> None:
        arn = self._try_on(resource, maker)
        if arn is not None:
            # Outside of the retries: a retry would create the resource again.
            self._end("Succeeded", _Properties=maker.describe(arn))

    def _try_on(self, resource: StepResource, maker: Maker) -> str | None:
        """Create the resource, with retries; return its ARN, None for a cached result."""
        retries: dict[int, int] = {}
        while True:
            try:
                return self._try(resource, maker, first=not retries)
            except StepFailure as failure:
                pause = self._pause(failure, retries)
                if pause is None:
                    raise
                self._sleep(pause)

    def _pause(self, failure: StepFailure, retries: dict[int, int]) -> float | None:
        """Return the seconds before the next attempt, by the first policy for the fault."""
        for number, policy in enumerate(self._step.retries):
            # Each policy counts its own retries.
            if failure.fault in policy.faults:
                done = retries.get(number, 0)
                retries[number] = done + 1
                return policy.pause(done, self._context.now() - self._started)
        return None

    def _try(self, resource: StepResource, maker: Maker, *, first: bool) -> str | None:
        self._go_on()
        name = self._name(resource)
        # Evaluated for each attempt, since the arguments may contain the job's name or the time.
        arguments = evaluate_expression(self._step.arguments, self._values(name))
        if resource.literal:
            name = arguments.get(resource.name) or name
        key = cache_key(self._step, resource, arguments)
        if first and self._take(resource, maker, key):
            return None
        arn = maker.create(arguments, name)
        self._record(
            # Before the wait: a client sees the resource's ARN while it runs.
            StepStatus="Executing",
            Metadata={resource.metadata: {"Arn": arn}},
            _Key=key,
            AttemptCount=1 + self._find()["AttemptCount"],
        )
        if resource.kind:
            self._follow(resource, maker, name)
        return arn

    def _name(self, resource: StepResource) -> str:
        """Return a new name for each attempt; a name in the arguments becomes its prefix."""
        given = self._step.arguments.get(resource.name)
        prefix = None if given is None else str(evaluate_expression(given, self._values()))
        return resource_name(self._key.name, self._step.name, resource.longest, prefix)

    def _take(self, resource: StepResource, maker: Maker, key: str) -> bool:
        """Use a cached result, if there is one; return whether there was."""
        if self._step.expires_after is None:
            return False
        pipeline = self._documents.get(self._key)["PipelineArn"]
        since = self._context.now() - self._step.expires_after
        found = earlier_result(self._documents, self._key.region, pipeline, key, since)
        if found is None:
            return False
        source, record = found
        arn = record["Metadata"][resource.metadata]["Arn"]
        if not maker.exists(arn if resource.excluded else arn.rsplit("/", 1)[-1]):
            return False
        self._end(
            "Succeeded",
            Metadata=record["Metadata"],
            CacheHitResult={"SourcePipelineExecutionArn": source},
            _Properties=record["_Properties"],
        )
        return True

    def _follow(self, resource: StepResource, maker: Maker, name: str) -> None:
        """Wait for the end of the resource's work; stop it when the step must stop."""
        key = Key(resource.kind, self._key.region, name)

        def ended(document: Document) -> bool:
            return document[resource.status] not in resource.running

        # Sleep until the resource's document ends, or this step must.
        found = self._documents.wait(key, lambda document: ended(document) or self._signals.ending)
        if not ended(found):
            self._check_closing()
            if resource.stop:
                maker.stop(name)
            close = self._signals.close
            # A stopped job still has its time to end; only the closing cloud does not wait for it.
            found = self._documents.wait(key, lambda document: ended(document) or close.is_set())
        self._check_closing()
        self._judge(resource, found)

    def _judge(self, resource: StepResource, found: Mapping[str, Any]) -> None:
        """Check the final status. Raises StepFailure or _Stopped for any but the wanted one."""
        status, reason = found[resource.status], found.get("FailureReason") or ""
        limit = found.get("SecondaryStatus", "")
        # A job that a time limit stopped has not done its work: it falls through, to a failure.
        if status == "Stopped" and limit not in _LIMITS:
            raise _Stopped
        if status == resource.done and not self._rolled_back(resource, found):
            return
        fault = fault_of_reason(reason)
        if resource.also and fault == "SageMaker.JOB_INTERNAL_ERROR":
            fault = ""  # a tuning job retries its training jobs itself
        raise StepFailure(reason or f"{resource.metadata} ended {status} {limit}".strip(), fault)

    def _rolled_back(self, resource: StepResource, found: Mapping[str, Any]) -> bool:
        """Return whether an endpoint was rolled back: it serves, but has a FailureReason."""
        return resource.kind == "endpoint" and bool(found.get("FailureReason"))

    def _sleep(self, seconds: float) -> None:
        """Pause, at most until the step must stop."""
        self._record(StepStatus="Executing")
        self._documents.wait(self._key, lambda _: self._signals.ending, seconds)

    def _go_on(self) -> None:
        """Check that the step may go on. Raises _Closing, _Stopped."""
        self._check_closing()
        if self._signals.stop.is_set():
            raise _Stopped

    def _check_closing(self) -> None:
        if self._signals.close.is_set():
            raise _Closing

    def _values(self, name: str = "") -> ExecutionValues:
        return ExecutionValues(
            self._definition,
            self._documents.get(self._key),
            self._clients.client("s3"),
            self._context.now(),
            name,
        )

    def _find(self) -> Document:
        record: Document = self._documents.get(self._key)["_Steps"][self._step.name]
        return record

    def _end(self, status: str, **members: Any) -> None:
        self._record(StepStatus=status, EndTime=self._context.now(), **members)

    def _record(self, **members: Any) -> None:
        """Change members of the step's record, unless the execution was abandoned."""

        def edit(document: Document) -> None:
            record = document["_Steps"][self._step.name]
            if record["StepStatus"] not in STEP_ENDED:
                record.update(members)
                document["LastModifiedTime"] = self._context.now()

        self._documents.edit(self._key, edit)
