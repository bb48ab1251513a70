"""Trials: the training jobs of a tuning job, from the tuning job's point of view."""

from dataclasses import dataclass

from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.tuning.definition_search import DefinitionSearch
from longspan.infra.local.tuning.results import TrialResult
from longspan.infra.local.tuning.strategies import Proposal

__all__ = ["Trial"]


@dataclass
class Trial:
    """Training job `number` of a tuning job, counted from 0.

    `curve` holds the reports of the objective that were read, and `judged` is the number of them
    that the stopping rule has seen. `stopped`: the tuning job has asked it to stop. `told`: it
    has ended, and its strategy knows the result.
    """

    documents: Documents
    key: Key
    number: int
    search: DefinitionSearch
    proposal: Proposal
    curve: tuple[float, ...] = ()
    judged: int = 0
    stopped: bool = False
    told: bool = False

    def result(self) -> TrialResult:
        """Return the result in the job's document; a deleted job counts as stopped."""
        found = self.documents.find(self.key)
        # Any status that has ended: a tuning job must not wait for a document that is gone.
        return TrialResult(found or {"TrainingJobStatus": "Stopped"}, self.search.objective)

    @property
    def completed(self) -> bool:
        """Whether the job ran to its end without a failure."""
        return self.result().job["TrainingJobStatus"] == "Completed"

    def read_curve(self) -> tuple[float, ...]:
        """Return the reports of the objective so far, in order."""
        document = self.documents.find(Key("training-metrics", self.key.region, self.key.name))
        return tuple(
            float(metric["Value"])
            for metric in (document or {}).get("Metrics") or ()
            if metric["MetricName"] == self.search.objective.metric
        )
