"""A training job as the tuning job that started it follows it."""

from dataclasses import dataclass

from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.tuning.definition_search import DefinitionSearch
from longspan.infra.local.tuning.results import TrialResult
from longspan.infra.local.tuning.strategies import Proposal

__all__ = ["Trial"]


@dataclass
class Trial:
    """Training job `number`, from 0, of a tuning job, and what has been done about it.

    `curve` are the objective's reports that were read so far, and `judged` counts those of them
    that the stopping rule has seen. `stopped`: we have asked it to stop. `told`: it has ended,
    and its strategy knows the result.
    """

    documents: Documents
    key: Key
    number: int
    arm: DefinitionSearch
    proposal: Proposal
    curve: tuple[float, ...] = ()
    judged: int = 0
    stopped: bool = False
    told: bool = False

    def result(self) -> TrialResult:
        """As its document has it now; one that was deleted counts as stopped."""
        found = self.documents.find(self.key)
        return TrialResult(found or {"TrainingJobStatus": "Stopped"}, self.arm.objective)

    @property
    def completed(self) -> bool:
        """Whether it ran to its own end without failure."""
        return self.result().job["TrainingJobStatus"] == "Completed"

    def read_curve(self) -> tuple[float, ...]:
        """The objective's reports until now, in order."""
        document = self.documents.find(Key("training-metrics", self.key.region, self.key.name))
        return tuple(
            float(metric["Value"])
            for metric in (document or {}).get("Metrics") or ()
            if metric["MetricName"] == self.arm.objective.metric
        )
