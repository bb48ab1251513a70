"""Selective executions: some steps of a pipeline, with results of an earlier execution.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-selective-ex.html
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from longspan.infra.local.control.api import Document, ValidationError
from longspan.infra.local.pipeline.definition.definition import PipelineDefinition
from longspan.infra.local.pipeline.definition.graph import dependencies, upstream
from longspan.infra.local.pipeline.execution.records import EXECUTION_ENDED, EXECUTION_STATUS

__all__ = ["check_selected", "outside", "reused"]


def check_selected(definition: PipelineDefinition, names: Sequence[str]) -> frozenset[str]:
    """Return the selected steps. Raises ValidationError for unknown or unconnected steps."""
    unknown = [name for name in names if name not in definition.steps]
    if unknown:
        raise ValidationError(
            f"Invalid SelectedSteps: {unknown} are not in the pipeline. Its steps are: "
            f"{', '.join(definition.steps)}."
        )
    selected = frozenset(names)
    before = {name: _all_before(definition, name) for name in definition.steps}
    between = [
        name
        for name in definition.steps
        if name not in selected
        and before[name] & selected
        and any(name in before[other] for other in selected)
    ]
    # Such a step would not run again, and its earlier result would not fit the new ones.
    if between:
        raise ValidationError(
            f"Invalid SelectedSteps: {between} are on the paths between the selected steps "
            f"{sorted(selected)}; select them too."
        )
    return selected


def _all_before(definition: PipelineDefinition, name: str) -> frozenset[str]:
    found: set[str] = set()
    left = list(upstream(definition, name))
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left.extend(upstream(definition, one))
    return frozenset(found)


def outside(definition: PipelineDefinition, selected: Set[str]) -> Iterator[str]:
    """Yield the steps outside of the selection whose results the selected steps need."""
    needed = {dependency.step for name in selected for dependency in dependencies(definition, name)}
    yield from (name for name in definition.steps if name in needed - selected)


def reused(
    needed: Sequence[str], selected: Set[str], source: Document | None
) -> dict[str, Mapping[str, Any]]:
    """Return the records of needed steps from an earlier execution, marked as reused.

    Raises ValidationError for a missing execution, or one in which the steps did not succeed.
    """
    if not needed:
        return {}
    if source is None:
        raise ValidationError(
            f"Invalid SourcePipelineExecutionArn: null. The selected steps {sorted(selected)} "
            f"have dependencies on {list(needed)}"
        )
    arn = source["PipelineExecutionArn"]
    if source[EXECUTION_STATUS] not in EXECUTION_ENDED:
        raise ValidationError(
            f"Invalid SourcePipelineExecutionArn: {arn} is in status {source[EXECUTION_STATUS]}; "
            "give an execution that has ended."
        )
    records = source["_Steps"]
    missing = [name for name in needed if records.get(name, {}).get("StepStatus") != "Succeeded"]
    if missing:
        raise ValidationError(
            f"Invalid SourcePipelineExecutionArn: in {arn} the steps {missing} did not succeed, "
            f"on which the selected steps {sorted(selected)} depend."
        )
    mark = {"SelectiveExecutionResult": {"SourcePipelineExecutionArn": arn}}
    return {name: {**records[name], **mark} for name in needed}
