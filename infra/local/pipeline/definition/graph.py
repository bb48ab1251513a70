"""Graph of steps: edges from DependsOn, from references, and from branches of conditions."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from longspan.infra.local.pipeline.definition.arguments import check_property
from longspan.infra.local.pipeline.definition.definition import (
    Dependency,
    PipelineDefinition,
    PipelineStep,
)
from longspan.infra.local.pipeline.definition.expressions import (
    PROPERTY_FILES,
    Reference,
    references,
)
from longspan.infra.local.pipeline.definition.reading import invalid

__all__ = ["check_graph", "dependencies", "inside", "upstream"]

# Execution variables -> the type of step that may use it, empty for all types.
_VARIABLES: Mapping[str, str] = {
    "StartDateTime": "",
    "CurrentDateTime": "",
    "PipelineName": "",
    "PipelineArn": "",
    "PipelineExecutionId": "",
    "PipelineExecutionArn": "",
    "TrainingJobName": "Training",
    "ProcessingJobName": "Processing",
}


def inside(definition: PipelineDefinition, condition: str) -> frozenset[str]:
    """Return the steps in the branches of a condition step, at any depth."""
    return frozenset(name for name in definition.steps if condition in _around(definition, name))


def _around(definition: PipelineDefinition, name: str) -> Iterator[str]:
    """Yield the condition steps around a step, from the innermost one."""
    branch = definition.steps[name].branch
    while branch is not None:
        yield branch.condition
        branch = definition.steps[branch.condition].branch


def dependencies(definition: PipelineDefinition, name: str) -> tuple[Dependency, ...]:
    """Return the dependencies of a step, except the conditions around it, each step once.

    A dependency on a condition step includes the steps of the branch that is taken.
    """
    step = definition.steps[name]
    found = {dependency.step: dependency for dependency in step.depends_on}
    # The branch itself orders a step after these conditions. As dependencies they would be cycles:
    # a condition step ends with the steps inside of it.
    around = set(_around(definition, name))
    for reference in references(step.arguments):
        if reference.root == "Steps" and reference.name not in around:
            # DependsOn goes first: it may name another trigger for the same step.
            found.setdefault(reference.name, Dependency(reference.name))
    return tuple(dependency for dependency in found.values() if dependency.step not in around)


def upstream(definition: PipelineDefinition, name: str) -> frozenset[str]:
    """Return the steps that must have ended, or be skipped, before a step can run."""
    step = definition.steps[name]
    found = {step.branch.condition} if step.branch else set()
    for dependency in dependencies(definition, name):
        found.add(dependency.step)
        found |= inside(definition, dependency.step)
    return frozenset(found)


def check_graph(definition: PipelineDefinition) -> None:
    """Check references and order. Raises ValidationError for unknown targets and for cycles."""
    for step in definition.steps.values():
        for dependency in step.depends_on:
            if dependency.step not in definition.steps:
                raise invalid(
                    f"Step '{step.name}': DependsOn names the unknown step '{dependency.step}'."
                )
            if dependency.step in _around(definition, step.name):
                raise invalid(
                    f"Step '{step.name}': DependsOn names '{dependency.step}', whose branch "
                    "contains the step; leave it out."
                )
        for reference in _references(step):
            _check_reference(definition, step, reference)
    _check_order(definition)


def _references(step: PipelineStep) -> Iterable[Reference]:
    try:
        return list(references(step.arguments))
    except ValueError as error:
        raise invalid(f"Step '{step.name}': {error}.") from None


def _check_reference(
    definition: PipelineDefinition, step: PipelineStep, reference: Reference
) -> None:
    where, text = f"Step '{step.name}'", reference.text
    if reference.root == "Parameters":
        known = [parameter.name for parameter in definition.parameters]
        if reference.name not in known:
            raise invalid(
                f"{where}: {text} is an unknown parameter. Declared are: "
                f"{', '.join(known) or 'none'}."
            )
    elif reference.root == "Execution":
        if _VARIABLES.get(reference.name) not in ("", step.type):
            fit = [name for name, kind in _VARIABLES.items() if kind in ("", step.type)]
            raise invalid(
                f"{where}: {text} is not a variable of a {step.type} step. Known are: "
                f"{', '.join(fit)}."
            )
    else:
        _check_step_reference(definition, where, step, reference)


def _check_step_reference(
    definition: PipelineDefinition, where: str, step: PipelineStep, reference: Reference
) -> None:
    target = definition.steps.get(reference.name)
    if target is None:
        raise invalid(f"{where}: {reference.text} refers to the unknown step '{reference.name}'.")
    if target is step:
        raise invalid(f"{where}: {reference.text} refers to the step itself.")
    if reference.path[:1] == (PROPERTY_FILES,):
        if reference.path[1:] not in [(name,) for name in target.property_files]:
            raise invalid(
                f"{where}: {reference.text} is an unknown property file. Step '{target.name}' "
                f"has: {', '.join(target.property_files) or 'none'}."
            )
    elif target.resource is not None:
        check_property(reference.path, target.resource, f"{where}: {reference.text}")
    elif target.type != "Condition" or reference.path != ("Outcome",):
        raise invalid(f"{where}: {reference.text} is not a property of a {target.type} step.")


def _check_order(definition: PipelineDefinition) -> None:
    """Remove steps that wait for none of the rest, again and again; a cycle remains."""
    left: dict[str, frozenset[str]] = {
        name: upstream(definition, name) for name in definition.steps
    }
    while left:  # Kahn's algorithm
        free = [name for name, before in left.items() if not before & left.keys()]
        if not free:
            raise invalid(f"Cycle detected in pipeline definition: {' -> '.join(_cycle(left))}.")
        for name in free:
            del left[name]


def _cycle(left: Mapping[str, Any]) -> list[str]:
    """Return the steps of one cycle, by following dependencies."""
    path = [next(iter(left))]
    while True:
        # Any of them leads into a cycle; the first name makes the message reproducible.
        after = min(name for name in left[path[-1]] if name in left)
        if after in path:
            return [*path[path.index(after) :], after]
        path.append(after)
