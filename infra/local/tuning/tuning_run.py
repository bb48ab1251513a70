"""Run of one tuning job: it starts trials, tells strategies their results, and stops trials.

It runs in a thread, and always ends with a status.
"""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from longspan.infra.local.control.api import ApiCall, ApiError, Document
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key, Missing
from longspan.infra.local.tuning.completion import Criteria, failure
from longspan.infra.local.tuning.definition_search import DefinitionSearch
from longspan.infra.local.tuning.definitions import Objective
from longspan.infra.local.tuning.requests import job_limit
from longspan.infra.local.tuning.results import TRAINING_ENDED
from longspan.infra.local.tuning.stopping import Curve
from longspan.infra.local.tuning.strategies import Proposal
from longspan.infra.local.tuning.training_request import training_job_name, training_request
from longspan.infra.local.tuning.trial import Trial

__all__ = ["TrainingJobStarter", "TuningRun"]

_log = logging.getLogger(__name__)


class TrainingJobStarter(Protocol):
    """Interface to training jobs; the service for training jobs implements it."""

    def start(self, call: ApiCall, *, extra: Document | None = None) -> str:
        """Start a training job; return its ARN. Raises ApiError."""
        ...

    def stop(self, region: str, name: str) -> None:
        """Ask a training job to stop. Raises ApiError for a job that has ended."""
        ...


@dataclass(frozen=True)
class _End:
    """Final status of the tuning job, which it gets when all trials have ended."""

    status: str
    reason: str | None = None


class TuningRun:
    """Run of the tuning job at `key`, whose document exists."""

    def __init__(
        self,
        context: Context,
        training_jobs: TrainingJobStarter,
        key: Key,
        call: ApiCall,
        searches: Sequence[DefinitionSearch],
    ) -> None:
        self._context = context
        self._training_jobs = training_jobs
        self._key = key
        self._call = call
        self._searches = tuple(searches)
        self._closing = context.threads.closing
        config = call.request["HyperParameterTuningJobConfig"]
        limits = config["ResourceLimits"]
        self._parallel = int(limits["MaxParallelTrainingJobs"])
        self._limit = job_limit(call.request)
        self._criteria = Criteria.parse(config.get("TuningJobCompletionCriteria"))
        runtime = limits.get("MaxRuntimeInSeconds")
        created = float(context.documents.get(key)["CreationTime"])
        self._deadline = None if runtime is None else created + runtime
        self._jobs: list[Trial] = []
        self._values: list[float] = []  # objectives, in the order of their arrival

    def run(self) -> None:
        """Run until the tuning job has ended."""
        try:
            end = self._search()
        except ApiError as error:
            end = self._abandon(str(error))
        except Exception as error:  # nothing else would end the tuning job
            _log.exception("tuning job %s", self._key.name)
            end = self._abandon(f"InternalServerError: {error}")
        now = self._context.now()
        # The API's model allows 1,024 characters.
        reason = {} if end.reason is None else {"FailureReason": end.reason[:1024]}
        self._context.documents.change(
            self._key,
            HyperParameterTuningJobStatus=end.status,
            HyperParameterTuningEndTime=now,
            LastModifiedTime=now,
            **reason,
        )

    def _search(self) -> _End:
        # Each round: read reports, decide whether to end, stop or start trials, then sleep until a
        # document changes. `end` is set once; trials that still run are then only waited for.
        end: _End | None = None
        while True:
            self._collect()
            closing = self._closing.is_set()
            end = end or self._end(closing)
            if end is None:
                self._judge()
                self._start_more()
            else:
                for job in self._running():
                    self._stop(job)
            # At a shutdown, do not wait for training jobs: their own threads end.
            if not self._running() or closing:
                return self._final(end)
            self._wait(end)

    def _collect(self) -> None:
        """Read the reports of trials, and tell strategies the results of ended trials."""
        for job in self._jobs:
            if job.told:
                continue
            # In this order: the curve of a job that has ended is complete.
            result = job.result()
            job.curve = job.read_curve()
            if result.ended:
                job.told = True
                job.search.strategy.tell(job.proposal, result.value)
                if result.value is not None:
                    self._values.append(result.value)

    def _end(self, closing: bool) -> _End | None:
        """Return the end of the tuning job if no other trial may start, else None."""
        # In the order of precedence: a user's stop, the end of the cloud, failure, success.
        document = self._context.documents.get(self._key)
        if document["HyperParameterTuningJobStatus"] == "Stopping":
            return _End("Stopped")
        if closing:
            return _End("Stopped", "The local cloud was shut down while the tuning job ran.")
        reason = failure([job.result() for job in self._jobs], over=False)
        if reason is not None:
            return _End("Failed", reason)
        late = self._deadline is not None and self._context.now() >= self._deadline
        if late or self._criteria.hold(self._values, self._objective):
            return _End("Completed")
        return None

    def _final(self, end: _End | None) -> _End:
        if end is not None and end.status != "Completed":
            return end
        # Ended by a criterion or a limit: still a failure if no trial has an objective.
        results = [job.result() for job in self._jobs]
        reason = failure(results, over=True)
        if reason is not None or not results:
            return _End("Failed", reason or "No training job was started within the limits.")
        return _End("Completed")

    def _judge(self) -> None:
        """Apply the stopping rules to each new report once."""
        for job in self._running():
            others = [
                Curve(other.number, other.curve, other.completed)
                for other in self._jobs
                # Objectives of different definitions cannot be compared.
                if other.search is job.search and other is not job
            ]
            own = Curve(job.number, job.curve)
            # Several reports may arrive at once; a rung between two of them must not be missed.
            for step in range(job.judged + 1, len(job.curve) + 1):
                if not job.stopped and job.search.rule.stops(own, step, others):
                    self._stop(job)
            job.judged = len(job.curve)

    def _start_more(self) -> None:
        while len(self._running()) < self._parallel and len(self._jobs) < self._limit:
            asked = self._ask()
            if asked is None:  # all spaces are exhausted: no later round may ask again
                self._limit = len(self._jobs)
                return
            self._start(*asked)

    def _ask(self) -> tuple[DefinitionSearch, Proposal] | None:
        """Return the next point, from the definitions in turn; None when none has another."""
        for offset in range(len(self._searches)):
            search = self._searches[(len(self._jobs) + offset) % len(self._searches)]
            proposal = search.strategy.ask()
            if proposal is not None:
                return search, proposal
        return None

    def _start(self, search: DefinitionSearch, proposal: Proposal) -> None:
        number = len(self._jobs)  # names count from 1, trials from 0
        name = training_job_name(self._key.name, number + 1)
        tags = self._call.request.get("Tags") or ()
        request = training_request(name, search.definition, proposal.values, tags)
        extra: Document = {
            "TuningJobArn": self._call.arn(f"hyper-parameter-tuning-job/{self._key.name}"),
            "TunedHyperParameters": dict(proposal.values),
        }
        if search.definition.name is not None:
            extra["TrainingJobDefinitionName"] = search.definition.name
        call = ApiCall(
            "CreateTrainingJob",
            request,
            self._call.region,
            self._call.account,
            self._call.caller,
        )
        # Listed before it starts, so that a failed start is still visible in the tuning job.
        self._context.documents.edit(
            self._key, lambda document: document["TrainingJobNames"].append(name)
        )
        self._training_jobs.start(call, extra=extra)
        job_key = Key("training-job", self._key.region, name)
        self._jobs.append(Trial(self._context.documents, job_key, number, search, proposal))
        self._context.documents.change(self._key, LastModifiedTime=self._context.now())

    def _stop(self, job: Trial) -> None:
        if not job.stopped:
            job.stopped = True
            with contextlib.suppress(ApiError, Missing):  # it has ended or was deleted
                self._training_jobs.stop(job.key.region, job.key.name)

    def _abandon(self, reason: str) -> _End:
        """Stop all trials and wait for their ends, using as little state as possible."""
        for job in self._jobs:
            self._stop(job)
        for job in self._jobs:
            with contextlib.suppress(Missing):
                self._context.documents.wait(
                    job.key,
                    lambda document: (
                        document["TrainingJobStatus"] in TRAINING_ENDED or self._closing.is_set()
                    ),
                )
        return _End("Failed", reason)

    def _wait(self, end: _End | None) -> None:
        """Wait until a trial ends or reports, the tuning job must stop, or time is over."""
        running = self._running()
        timeout = None
        # With an end the deadline may have passed, and a timeout of 0 would make the loop spin.
        if self._deadline is not None and end is None:
            timeout = max(0.0, self._deadline - self._context.now())

        def changed(document: Document) -> bool:
            stopping = document["HyperParameterTuningJobStatus"] == "Stopping"
            return (
                self._closing.is_set()
                # With an end, these trials are only waited for. A condition that stays true would
                # make the caller's loop spin.
                or (stopping and end is None)
                or any(
                    job.result().ended or len(job.read_curve()) > len(job.curve) for job in running
                )
            )

        self._context.documents.wait(self._key, changed, timeout)

    def _running(self) -> list[Trial]:
        return [job for job in self._jobs if not job.told]

    @property
    def _objective(self) -> Objective:
        """Objective of the first definition: all have the same direction."""
        return self._searches[0].objective
