"""A checked definition: parameters and steps, with the steps of branches in the same mapping.

https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from longspan.infra.local.pipeline.definition.parameters import PipelineParameter
from longspan.infra.local.pipeline.definition.policies import DEFAULT_RETRIES, RetryPolicy
from longspan.infra.local.pipeline.definition.resources import RESOURCES, StepResource

__all__ = ["Branch", "Dependency", "PipelineDefinition", "PipelineStep", "PropertyFile"]


@dataclass(frozen=True)
class Dependency:
    """Dependency on the end of a step; `trigger` is Completed, Failed, Stopped or Any."""

    step: str
    trigger: str = "Completed"


@dataclass(frozen=True)
class Branch:
    """Branch of a condition step: IfSteps (`outcome` true) or ElseSteps."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class PropertyFile:
    """JSON file that a processing step writes to one of its outputs."""

    name: str
    output: str
    path: str


@dataclass(frozen=True)
class PipelineStep:
    """One step; `expires_after` is the lifetime of a cached result in seconds, or None."""

    name: str
    type: str
    arguments: Mapping[str, Any]
    display_name: str | None = None
    description: str | None = None
    depends_on: tuple[Dependency, ...] = ()
    branch: Branch | None = None
    expires_after: float | None = None
    retries: tuple[RetryPolicy, ...] = DEFAULT_RETRIES
    property_files: Mapping[str, PropertyFile] = field(default_factory=dict)

    @property
    def resource(self) -> StepResource | None:
        """Resource that the step creates; None for Condition and Fail steps."""
        return RESOURCES.get(self.type)


@dataclass(frozen=True)
class PipelineDefinition:
    """A pipeline: `steps` by name, in the order of the text, branches after their condition."""

    parameters: tuple[PipelineParameter, ...]
    steps: Mapping[str, PipelineStep]
