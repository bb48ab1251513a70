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

# As YAML has them; SageMaker's API and the job take them as strings.
HyperparameterValues = dict[str, str | int | float | bool | None]

_NUMBERS = (int, float, bool)
# Of each hyperparameter, without the None of those that may be unset; str for a choice.
TYPES: Mapping[str, type] = {
    name: next((k for k in (field.annotation, *get_args(field.annotation)) if k in _NUMBERS), str)
    for name, field in Hyperparameters.model_fields.items()
}


class TrainingSection(ConfigSection):
    """One training job: what it trains with and on. Tune runs it many times."""

    hyperparameters: HyperparameterValues = Field(
        default_factory=dict,
        description="by name, as in docs/hyperparameters.md; what tuning ranges over is not here",
    )
    instance_type: str = Field("ml.g5.xlarge", description="machine of a training job")
    instance_count: int = Field(1, ge=1, le=100, description="machines of one training job")
    volume_gb: int = Field(50, ge=1, le=16_384, description="disk of each machine, in GB")
    max_runtime_minutes: int = Field(
        480, ge=1, le=40_320, description="a training job is stopped after this"
    )
    spot: bool = Field(False, description="spot machines: cheaper, may be taken away meanwhile")
    max_wait_minutes: int | None = Field(
        None,
        ge=1,
        le=40_320,
        description="spot: runtime and waiting together; left out: twice it",
        examples=[960],
    )
    checkpoints: bool | None = Field(
        None,
        description="mirror checkpoints to S3, so that a job resumes; left out: with spot",
        examples=[True],
    )
    variables: dict[str, str] = Field(
        default_factory=dict, description="environment variables of the training container"
    )

    @property
    def keeps_checkpoints(self) -> bool:
        """Whether checkpoints go to S3: as asked, else where machines may vanish."""
        return self.spot if self.checkpoints is None else self.checkpoints

    @property
    def max_wait(self) -> int:
        """Minutes that a spot job may take with its waiting; AWS's limit is 28 days."""
        return self.max_wait_minutes or min(40_320, 2 * self.max_runtime_minutes)

    def mistakes(self) -> Iterator[Mistake]:
        """Hyperparameters that are none, and a wait that cannot be."""
        for mistake in value_mistakes(self.hyperparameters):
            yield mistake.below("hyperparameters")
        if self.max_wait_minutes is not None and not self.spot:
            yield Mistake(
                ("max_wait_minutes",), "only spot machines are waited for: set spot: true"
            )
        elif self.spot and self.max_wait < self.max_runtime_minutes:
            yield Mistake(
                ("max_wait_minutes",),
                f"expected at least max_runtime_minutes={self.max_runtime_minutes}, since it "
                f"covers the runtime, got {self.max_wait_minutes}",
            )


class BaselineSection(ConfigSection):
    """The untuned model that the tuned one is compared with."""

    enabled: bool = Field(True, description="train it; without it the gate judges no change")
    hyperparameters: HyperparameterValues = Field(
        default_factory=dict, description="instead of training.hyperparameters, name by name"
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Hyperparameters that are none."""
        for mistake in value_mistakes(self.hyperparameters):
            yield mistake.below("hyperparameters")


def as_strings(values: Mapping[str, Any]) -> dict[str, str]:
    """Hyperparameters as SageMaker wants them: `true`, `none`, and numbers as YAML shows them."""
    return {name: _text(value) for name, value in values.items()}


def value_mistakes(values: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with each value by itself; `joint_problem` tells of all of them together."""
    for name, value in values.items():
        text = _text(value)
        problem = _type_problem(name, value) or joint_problem(_neutral(name) | {name: text})
        if problem is not None:
            yield Mistake((name,), problem)


def own_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters under this project's names, parsed; the built-in's other ones dropped.

    Raises HyperparameterError for a value that `value_mistakes` names.
    """
    parsed = {}
    for name, value in values.items():
        ours = BUILT_IN_NAMES.get(name, name)
        if ours in TYPES and (ours == name or ours not in values):
            one = Hyperparameters.parse(_neutral(name) | {name: _text(value)})
            parsed[ours] = getattr(one, ours)
    return parsed


def joint_problem(values: Mapping[str, Any]) -> str | None:
    """The reason why a job would refuse these hyperparameters, None when it would not."""
    try:
        Hyperparameters.parse(as_strings(values))
    except HyperparameterError as error:
        return str(error)
    return None


def _neutral(name: str) -> dict[str, str]:
    """Companions with which a lone value is judged by itself, not against another's default."""
    ours = BUILT_IN_NAMES.get(name, name)
    if ours == "attention_heads":
        return {"attention_type": "none"}  # then heads need not divide anything
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
