"""Parsing of a definition's text, with the checks that AWS makes.

https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from longspan.infra.local.pipeline.definition.arguments import check_arguments
from longspan.infra.local.pipeline.definition.conditions import check_condition
from longspan.infra.local.pipeline.definition.definition import (
    Branch,
    Dependency,
    PipelineDefinition,
    PipelineStep,
    PropertyFile,
)
from longspan.infra.local.pipeline.definition.graph import check_graph
from longspan.infra.local.pipeline.definition.parameters import read_parameters
from longspan.infra.local.pipeline.definition.policies import (
    DEFAULT_RETRIES,
    read_cache,
    read_retry,
)
from longspan.infra.local.pipeline.definition.reading import (
    invalid,
    read_list,
    read_members,
    read_text,
)
from longspan.infra.local.pipeline.definition.resources import RESOURCES, UNSUPPORTED, StepResource

__all__ = ["read_definition"]

_VERSION = "2020-12-01"
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_TRIGGERS = ("Completed", "Failed", "Stopped", "Any")
_TYPES = (*RESOURCES, "Condition", "Fail")


def read_definition(text: str) -> PipelineDefinition:
    """Return the definition in a JSON text.

    Raises ValidationError with the place of the mistake and the expected value.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise invalid(f"It is not JSON: {error}.") from None
    members = read_members(
        value,
        "Pipeline definition",
        ("Version", "Steps"),
        ("Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig"),
    )
    if members["Version"] != _VERSION:
        raise invalid(f"Version must be '{_VERSION}', got {members['Version']!r}.")
    steps: dict[str, PipelineStep] = {}
    for step in _read_steps(members["Steps"], "Steps", None):
        if step.name in steps:
            raise invalid(f"Duplicate step name '{step.name}'. Step names must be unique.")
        steps[step.name] = step
    if not steps:
        raise invalid("Steps: expected at least one step, got none.")
    definition = PipelineDefinition(read_parameters(members.get("Parameters", [])), steps)
    check_graph(definition)
    return definition


def _read_steps(value: Any, where: str, branch: Branch | None) -> Iterator[PipelineStep]:
    for number, item in enumerate(read_list(value, where)):
        yield from _read_step(item, f"{where}[{number}]", branch)


def _read_step(item: Any, where: str, branch: Branch | None) -> Iterator[PipelineStep]:
    """Yield a step, then the steps of its branches."""
    # First, so that all later messages name the step instead of its position.
    name, kind = _identify(item, where)
    where = f"Step '{name}'"
    resource = RESOURCES.get(kind)
    members = read_members(item, where, ("Name", "Type", "Arguments"), _options(kind, resource))
    arguments = _read_arguments(members["Arguments"], kind, f"{where}.Arguments")
    if resource is not None:
        check_arguments(arguments, resource, f"{where}.Arguments")
    cache, policies = members.get("CacheConfig"), members.get("RetryPolicies", [])
    yield PipelineStep(
        name=name,
        type=kind,
        # Steps of branches are steps of their own, and their references are not this step's.
        arguments={key: value for key, value in arguments.items() if key not in _BRANCHES},
        display_name=members.get("DisplayName"),
        description=members.get("Description"),
        depends_on=_read_dependencies(members.get("DependsOn", []), f"{where}.DependsOn"),
        branch=branch,
        expires_after=None if cache is None else read_cache(cache, f"{where}.CacheConfig"),
        retries=(
            *(
                read_retry(policy, f"{where}.RetryPolicies[{number}]")
                for number, policy in enumerate(read_list(policies, f"{where}.RetryPolicies"))
            ),
            # Last: the first policy for a fault decides.
            *DEFAULT_RETRIES,
        ),
        property_files=_read_property_files(members.get("PropertyFiles", []), arguments, where),
    )
    if kind == "Condition":
        yield from _read_branches(name, arguments, f"{where}.Arguments")


def _identify(item: Any, where: str) -> tuple[str, str]:
    """Return name and type of a step."""
    if not isinstance(item, dict):
        raise invalid(f"{where}: Expecting start of Json Object, got {item!r}.")
    for member in ("Name", "Type"):
        if not item.get(member):
            raise invalid(f"{where}: Missing required property '{member}'.")
    name = read_text(item["Name"], f"{where}.Name")
    if not _NAME.fullmatch(name):
        raise invalid(f"{where}: Step name '{name}' must match {_NAME.pattern}.")
    kind = read_text(item["Type"], f"Step '{name}'.Type")
    if kind in UNSUPPORTED:
        raise invalid(
            f"Step '{name}': steps of type {kind} are not supported by the local cloud. It runs "
            f"{', '.join(_TYPES)}."
        )
    if kind not in _TYPES:
        raise invalid(f"Step '{name}': Unknown step type '{kind}'. Known: {', '.join(_TYPES)}.")
    return name, kind


_BRANCHES: Mapping[str, bool] = {"IfSteps": True, "ElseSteps": False}


def _options(kind: str, resource: StepResource | None) -> tuple[str, ...]:
    """Return the optional members of a step of this type."""
    options = ["DisplayName", "Description", "DependsOn"]
    if resource is not None and resource.cacheable:
        options.append("CacheConfig")
    if resource is not None and resource.retryable:
        options.append("RetryPolicies")
    if kind == "Processing":
        options.append("PropertyFiles")
    return tuple(options)


def _read_arguments(value: Any, kind: str, where: str) -> Mapping[str, Any]:
    """Check the members of Condition and Fail steps; `check_arguments` checks other steps."""
    if kind == "Condition":
        return read_members(value, where, ("Conditions",), tuple(_BRANCHES))
    if kind == "Fail":
        return read_members(value, where, (), ("ErrorMessage",))
    if not isinstance(value, dict):
        raise invalid(f"{where}: Expecting start of Json Object, got {value!r}.")
    return value


def _read_dependencies(value: Any, where: str) -> tuple[Dependency, ...]:
    return tuple(_read_dependency(item, where) for item in read_list(value, where))


def _read_dependency(item: Any, where: str) -> Dependency:
    if isinstance(item, str):
        return Dependency(item)
    members = read_members(item, where, ("Step",), ("Trigger",))
    trigger = members.get("Trigger", "Completed")
    if trigger not in _TRIGGERS:
        raise invalid(f"{where}: Trigger must be one of {', '.join(_TRIGGERS)}, got {trigger!r}.")
    return Dependency(read_text(members["Step"], where), trigger)


def _read_branches(name: str, arguments: Mapping[str, Any], where: str) -> Iterator[PipelineStep]:
    conditions = read_list(arguments["Conditions"], f"{where}.Conditions")
    if not conditions:
        raise invalid(f"{where}.Conditions: expected at least one condition, got none.")
    for number, condition in enumerate(conditions):
        check_condition(condition, f"{where}.Conditions[{number}]")
    for member, outcome in _BRANCHES.items():
        branch = Branch(name, outcome)
        yield from _read_steps(arguments.get(member, []), f"{where}.{member}", branch)


def _read_property_files(
    value: Any, arguments: Mapping[str, Any], where: str
) -> dict[str, PropertyFile]:
    where = f"{where}.PropertyFiles"
    outputs = (arguments.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    known = [output.get("OutputName") for output in outputs if isinstance(output, dict)]
    files: dict[str, PropertyFile] = {}
    for item in read_list(value, where):
        members = read_members(item, where, ("PropertyFileName", "OutputName", "FilePath"))
        name = read_text(members["PropertyFileName"], where)
        output = read_text(members["OutputName"], where)
        if name in files:
            raise invalid(f"{where}: Duplicate property file name '{name}'.")
        if output not in known:
            raise invalid(
                f"{where}: '{name}' is in output '{output}', which the step does not have. Its "
                f"outputs are: {', '.join(map(str, known)) or 'none'}."
            )
        files[name] = PropertyFile(name, output, read_text(members["FilePath"], where))
    return files
