"""Sections `training` and `baseline`: hyperparameters and machines."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import Field

from longspan.pipelines.config.section import ConfigSection
from longspan.training.built_in_names import BUILT_IN_NAMES
from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.mistakes import Mistake

__all__ = [
    "BaselineSection",
    "HyperparameterValues",
    "TrainingSection",
    "as_strings",
    "joint_problem",
    "own_names",
    "value_mistakes",
]

# Values as YAML has them; SageMaker's API and jobs have strings.
HyperparameterValues = dict[str, str | int | float | bool | None]

_NUMBERS = (int, float, bool)
# Of each hyperparameter, without the None of those that may be unset; str for a choice.
TYPES: Mapping[str, type] = {
    name: next((k for k in (field.annotation, *get_args(field.annotation)) if k in _NUMBERS), str)
    for name, field in Hyperparameters.model_fields.items()
}


class TrainingSection(ConfigSection):
    """One training job: hyperparameters and machines. The step Tune runs it many times."""

    hyperparameters: HyperparameterValues = Field(
        default_factory=dict,
        description="values by name (docs/hyperparameters.md), without those that tuning searches",
    )
    instance_type: str = Field("ml.g5.xlarge", description="machine of a training job")
    instance_count: int = Field(1, ge=1, le=100, description="machines of one training job")
    volume_gb: int = Field(50, ge=1, le=16_384, description="disk of each machine, in GB")
    max_runtime_minutes: int = Field(
        480, ge=1, le=40_320, description="SageMaker stops a training job after this"
    )
    spot: bool = Field(False, description="use spot machines: cheaper, but AWS may take them away")
    max_wait_minutes: int | None = Field(
        None,
        ge=1,
        le=40_320,
        description="for spot: runtime and waiting together; left out: twice the runtime",
        examples=[960],
    )
    checkpoints: bool | None = Field(
        None,
        description="copy checkpoints to S3, so that jobs resume; left out: only with spot",
        examples=[True],
    )
    variables: dict[str, str] = Field(
        default_factory=dict, description="environment variables of the training container"
    )

    @property
    def keeps_checkpoints(self) -> bool:
        """Whether checkpoints are copied to S3: `checkpoints`, or if that is unset, `spot`."""
        return self.spot if self.checkpoints is None else self.checkpoints

    @property
    def max_wait(self) -> int:
        """Most minutes of a spot job, waiting included; AWS allows 28 days."""
        return self.max_wait_minutes or min(40_320, 2 * self.max_runtime_minutes)

    def mistakes(self) -> Iterator[Mistake]:
        """Yield wrong hyperparameters, and a wait without spot or below the runtime."""
        for mistake in value_mistakes(self.hyperparameters):
            yield mistake.below("hyperparameters")
        if self.max_wait_minutes is not None and not self.spot:
            yield Mistake(
                ("max_wait_minutes",), "only spot machines have waiting time; set spot: true"
            )
        elif self.spot and self.max_wait < self.max_runtime_minutes:
            yield Mistake(
                ("max_wait_minutes",),
                f"expected at least max_runtime_minutes={self.max_runtime_minutes}, which it "
                f"includes, got {self.max_wait_minutes}",
            )


class BaselineSection(ConfigSection):
    """The untuned model to compare the tuned one with."""

    enabled: bool = Field(True, description="train it; without it the gate checks no changes")
    hyperparameters: HyperparameterValues = Field(
        default_factory=dict, description="values that replace those of training.hyperparameters"
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Yield wrong hyperparameters."""
        for mistake in value_mistakes(self.hyperparameters):
            yield mistake.below("hyperparameters")


def as_strings(values: Mapping[str, Any]) -> dict[str, str]:
    """Return hyperparameters as strings for SageMaker: `true`, `none`, numbers as in YAML."""
    return {name: _text(value) for name, value in values.items()}


def value_mistakes(values: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield what is wrong with each value by itself; `joint_problem` checks combinations."""
    for name, value in values.items():
        text = _text(value)
        problem = _type_problem(name, value) or joint_problem(_neutral(name) | {name: text})
        if problem is not None:
            yield Mistake((name,), problem)


def own_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return parsed hyperparameters by this project's names, without others of the built-in.

    Raises HyperparameterError for a value that `value_mistakes` reports.
    """
    parsed = {}
    for name, value in values.items():
        ours = BUILT_IN_NAMES.get(name, name)
        # If both names of a hyperparameter are given, this project's name wins.
        if ours in TYPES and (ours == name or ours not in values):
            one = Hyperparameters.parse(_neutral(name) | {name: _text(value)})
            parsed[ours] = getattr(one, ours)
    return parsed


def joint_problem(values: Mapping[str, Any]) -> str | None:
    """Return the reason why a job would refuse these hyperparameters; None if it would not."""
    try:
        Hyperparameters.parse(as_strings(values))
    except HyperparameterError as error:
        return str(error)
    return None


def _neutral(name: str) -> dict[str, str]:
    """Return values for other hyperparameters with which `name` can be checked by itself."""
    ours = BUILT_IN_NAMES.get(name, name)
    if ours == "attention_heads":
        return {"attention_type": "none"}  # without attention, heads need not divide anything
    return {"attention_heads": "1"} if ours == "attention_dimension" else {}


def _type_problem(name: str, value: Any) -> str | None:
    kind = TYPES.get(BUILT_IN_NAMES.get(name, name))
    if kind is None or not isinstance(value, str) or value.lower() == "none":
        return None
    if kind in (int, float):
        return f"expected a number, got {value!r}; take the quotes away"
    return f"expected true or false, got {value!r}" if kind is bool else None


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
