"""A pipeline's definition as it was read and checked: parameters and steps, branches unfolded.

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
    """A step waits for another's end; `trigger` says for which: Completed, Failed, Stopped, Any."""

    step: str
    trigger: str = "Completed"


@dataclass(frozen=True)
class Branch:
    """Where a step stands: among the IfSteps (`outcome` true) or ElseSteps of a condition step."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file that a processing step leaves in one of its outputs."""

    name: str
    output: str
    path: str


@dataclass(frozen=True)
class PipelineStep:
    """`expires_after`: for how many seconds an earlier result may be taken, None for never."""

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
        """What it makes; None for conditions and failures."""
        return RESOURCES.get(self.type)


@dataclass(frozen=True)
class PipelineDefinition:
    """`steps` by name, in the order of the text, those of branches after their condition."""

    parameters: tuple[PipelineParameter, ...]
    steps: Mapping[str, PipelineStep]
