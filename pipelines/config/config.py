"""The whole config, and what its sections must agree on."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from longspan.pipelines.config.aws import AwsSection
from longspan.pipelines.config.data import DataSection, PreparationSection
from longspan.pipelines.config.delivery import (
    EndpointSection,
    EvaluationSection,
    GateSection,
    RegistrySection,
)
from longspan.pipelines.config.instances import (
    ENDPOINT,
    PROCESSING,
    TRAINING,
    has_local_disk,
    instance_problem,
)
from longspan.pipelines.config.search_space import space_mistakes
from longspan.pipelines.config.section import ConfigError, ConfigSection
from longspan.pipelines.config.training import (
    BaselineSection,
    TrainingSection,
    joint_problem,
    own_names,
)
from longspan.pipelines.config.tuning import TuningSection
from longspan.training.built_in_names import BUILT_IN_NAMES
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.mistakes import Mistake

__all__ = ["Config"]

_BY_TRANSLATING = frozenset({"bleu", "bleu_long"})

# The pipeline's name is the endpoint's too, unless that has one of its own.
Name = Annotated[str, Field(max_length=50, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")]

# The parts of a run, as its table of times has them.
RunPart = Literal["preparation", "trials", "baseline", "evaluation", "rest", "total"]


class Config(ConfigSection):
    """`longspan.yaml`: one pipeline, from pairs to an endpoint."""

    name: Name = Field("longspan", description="of the pipeline, and of what it creates")
    data: DataSection = Field(description="which pairs")
    preparation: PreparationSection = Field(
        default_factory=lambda: PreparationSection(), description="cleaning, splits, vocabulary"
    )
    training: TrainingSection = Field(
        default_factory=lambda: TrainingSection(), description="one training job"
    )
    tuning: TuningSection = Field(
        default_factory=lambda: TuningSection(), description="the search over training jobs"
    )
    baseline: BaselineSection = Field(
        default_factory=lambda: BaselineSection(), description="the untuned model to compare with"
    )
    evaluation: EvaluationSection = Field(
        default_factory=lambda: EvaluationSection(), description="quality by sentence length"
    )
    gate: GateSection = Field(
        default_factory=lambda: GateSection(), description="what a model must reach"
    )
    registry: RegistrySection = Field(
        default_factory=lambda: RegistrySection(), description="the model package"
    )
    endpoint: EndpointSection = Field(
        default_factory=lambda: EndpointSection(), description="what serves the model"
    )
    aws: AwsSection = Field(
        default_factory=lambda: AwsSection(), description="account, network, keys: AWS only"
    )
    prices: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="US dollars an hour by machine type, instead of the table's (docs/config.md)",
    )
    planned_seconds: dict[RunPart, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict,
        description="planned for preparation, trials, baseline, evaluation, rest, total: shown "
        "beside what they took",
    )

    @property
    def group(self) -> str:
        """The model package group."""
        return self.registry.group or self.name

    @property
    def endpoint_name(self) -> str:
        """The endpoint."""
        return self.endpoint.name or self.name

    @property
    def baseline_hyperparameters(self) -> dict[str, Any]:
        """What the baseline is trained with."""
        return {**self.training.hyperparameters, **self.baseline.hyperparameters}

    @model_validator(mode="after")
    def _refuse_mistakes(self) -> "Config":
        found = tuple(self.mistakes())
        if found:
            raise ConfigError(found)
        return self

    def mistakes(self) -> Iterator[Mistake]:
        """Each section's own, then, when there are none, what sections disagree on."""
        sections: Mapping[str, ConfigSection] = {
            name: value for name, value in self if name not in ("name", "prices", "planned_seconds")
        }
        found = [
            mistake.below(name)
            for name, section in sections.items()
            for mistake in section.mistakes()
        ]
        yield from found
        yield from self._machine_mistakes()
        if not found:
            yield from self._space_mistakes()
            yield from self._stopping_mistakes()
            yield from self._resource_mistakes()
            yield from self._baseline_mistakes()
            yield from self._endpoint_mistakes()

    def _machine_mistakes(self) -> Iterator[Mistake]:
        for section, shape, machine in self._machines():
            problem = instance_problem(shape, machine)
            if problem is not None:
                yield Mistake((section, "instance_type"), problem)
            elif self.aws.kms.volume is not None and has_local_disk(machine):
                yield Mistake(
                    ("aws", "kms", "volume"),
                    f"{machine} of {section} encrypts its own disks and takes no key: leave the "
                    "key out, or choose a machine without disks of its own, such as ml.m5.xlarge",
                )

    def _machines(self) -> Iterator[tuple[str, str, str]]:
        yield "preparation", PROCESSING, self.preparation.instance_type
        yield "training", TRAINING, self.training.instance_type
        yield "evaluation", PROCESSING, self.evaluation.instance_type
        if self.endpoint.serverless is None:
            yield "endpoint", ENDPOINT, self.endpoint.instance_type

    def _space_mistakes(self) -> Iterator[Mistake]:
        fixed = self.training.hyperparameters
        for mistake in space_mistakes(self.tuning.search_space, fixed):
            yield mistake.below("search_space").below("tuning")
        for name in fixed:
            if BUILT_IN_NAMES.get(name, name) not in self.tuning.search_space:
                continue
            yield Mistake(
                ("training", "hyperparameters", name),
                "tuning ranges over it: leave it out of one of the two; "
                "baseline.hyperparameters sets it for the baseline alone",
            )

    def _stopping_mistakes(self) -> Iterator[Mistake]:
        """A search that stops jobs must see their objective before they end."""
        tuning, given = self.tuning, self.training.hyperparameters
        key = "strategy" if tuning.strategy == "Hyperband" else "early_stopping"
        if key == "early_stopping" and not tuning.early_stopping:
            return
        # Translating takes time: a job does it at each checkpoint only when it chooses its own
        # best model by that. The other metrics are measured each time.
        measured = given.get("optimized_metric", Hyperparameters.defaults()["optimized_metric"])
        wanted = tuning.objective.removeprefix("validation:")
        if wanted in _BY_TRANSLATING and measured != wanted:
            yield Mistake(
                ("tuning", key),
                f"to stop a job early, tuning must know its {wanted} at each checkpoint, which "
                f"measures {measured}: set training.hyperparameters.optimized_metric: {wanted}",
            )

    def _resource_mistakes(self) -> Iterator[Mistake]:
        """Hyperband stops every job before its end, also the best one."""
        hyperband = self.tuning.hyperband
        values = own_names(self.training.hyperparameters)
        updates = values.get("max_num_batches")
        if hyperband is None or updates is None:
            return
        name = "checkpoint_frequency_num_batches"
        whole = math.ceil(updates / (values.get(name) or Hyperparameters.defaults()[name]))
        if hyperband.max_resource < whole:
            yield Mistake(
                ("tuning", "hyperband", "max_resource"),
                f"expected at least {whole}, the checkpoints of a whole job (max_num_batches / "
                f"{name}), so that the best one uses its whole budget, "
                f"got {hyperband.max_resource}",
            )

    def _baseline_mistakes(self) -> Iterator[Mistake]:
        if not self.baseline.enabled:
            return
        problem = joint_problem(self.baseline_hyperparameters)
        if problem is not None:
            yield Mistake(
                ("baseline", "hyperparameters"),
                f"{problem}; training.hyperparameters count here too",
            )

    def _endpoint_mistakes(self) -> Iterator[Mistake]:
        if self.endpoint.serverless is None or not self.endpoint.enabled:
            return
        for name, given in (
            ("vpc", self.aws.vpc is not None),
            ("network_isolation", self.aws.network_isolation),
        ):
            if given:
                yield Mistake(
                    ("endpoint", "serverless"),
                    f"serverless endpoints know no aws.{name}: choose machines instead",
                )
