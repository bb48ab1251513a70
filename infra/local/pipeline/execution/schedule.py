"""Schedule of an execution: the next steps and the final status, from the records of its steps.
A step without a record is

- Ready when all that it depends on has ended as its triggers expect,
- Waiting while something before it may still change,
- Skipped when it can never run: another branch was taken, or a dependency ended otherwise.


https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps.html
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from longspan.infra.local.pipeline.definition.definition import PipelineDefinition, PipelineStep
from longspan.infra.local.pipeline.definition.graph import dependencies, inside
from longspan.infra.local.pipeline.execution.records import STEP_ENDED

__all__ = ["Schedule"]

# States of steps that have not ended.
READY, RUNNING, WAITING, SKIPPED = "Ready", "Running", "Waiting", "Skipped"
_UNSETTLED = (READY, RUNNING, WAITING)


@dataclass(frozen=True)
class Schedule:
    """Schedule at one moment: `selected` steps may run, `records` are of steps that started."""

    definition: PipelineDefinition
    selected: Set[str]
    records: Mapping[str, Mapping[str, Any]]
    _states: dict[str, str] = field(default_factory=dict)  # memo of `state`

    @property
    def ready(self) -> tuple[str, ...]:
        """Steps that can start; none after a failure that no other step handles."""
        if self.unhandled:
            return ()
        return tuple(name for name in self.definition.steps if self.state(name) == READY)

    @property
    def running(self) -> tuple[str, ...]:
        """Steps that have started and not ended."""
        return tuple(name for name in self.records if self.state(name) == RUNNING)

    @property
    def unhandled(self) -> tuple[str, ...]:
        """Steps that failed or were stopped, and that no step handles by its trigger."""
        return tuple(name for name in self._broken() if not self._handled(name))

    @property
    def conclusion(self) -> str:
        """Final status of an execution without further steps."""
        if self.unhandled:
            return "Failed"
        return "CompletedWithFailures" if self._broken() else "Succeeded"

    def state(self, name: str) -> str:
        """Return the status in a step's record, or Ready, Waiting or Skipped without one."""
        if name not in self._states:
            record = self.records.get(name)
            if record is not None:
                status = record["StepStatus"]
                self._states[name] = status if status in STEP_ENDED else RUNNING
            elif name not in self.selected:
                self._states[name] = SKIPPED
            else:
                # The recursion over dependencies ends, because `check_graph` refuses cycles.
                self._states[name] = self._outlook(self.definition.steps[name])
        return self._states[name]

    def _broken(self) -> tuple[str, ...]:
        return tuple(n for n in self.records if self.state(n) in ("Failed", "Stopped"))

    def _handled(self, name: str) -> bool:
        triggers = (self.state(name), "Any")
        return any(
            # A handler that cannot run any more handles nothing.
            self.state(other) != SKIPPED
            and any(
                dependency.step == name and dependency.trigger in triggers
                for dependency in step.depends_on
            )
            for other, step in self.definition.steps.items()
        )

    def _outlook(self, step: PipelineStep) -> str:
        """Return the state of a step that has not started."""
        views = [
            self._after(dependency.step, dependency.trigger)
            for dependency in dependencies(self.definition, step.name)
        ]
        if step.branch is not None:
            views.append(self._in_branch(step.branch.condition, step.branch.outcome))
        # The worst view decides: one that skips the step, then one that waits.
        for state in (SKIPPED, WAITING):
            if state in views:
                return state
        return READY

    def _in_branch(self, condition: str, outcome: bool) -> str:
        """Return the state by a branch; a step selected without its condition always runs."""
        if condition not in self.selected and condition not in self.records:
            return READY
        state = self.state(condition)
        if state in _UNSETTLED:
            return WAITING
        found = self.records.get(condition, {}).get("Metadata", {}).get("Condition", {})
        return READY if found.get("Outcome") == str(outcome) else SKIPPED

    def _after(self, name: str, trigger: str) -> str:
        """Return the state by one dependency; a condition step includes its branches."""
        states = [self.state(name), *map(self.state, inside(self.definition, name))]
        if any(state in _UNSETTLED for state in states):
            return WAITING
        # A failure in a branch is the end of the condition step as a whole.
        end = next((state for state in states if state in ("Failed", "Stopped")), states[0])
        if end == SKIPPED:
            return SKIPPED
        wanted = ("Succeeded" if trigger == "Completed" else trigger, "Any")
        return READY if end in wanted or trigger == "Any" else SKIPPED
