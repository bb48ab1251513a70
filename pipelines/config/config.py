"""The whole config, with the checks that span several sections."""

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

# Metrics that need translations of the validation pairs.
_BY_TRANSLATING = frozenset({"bleu", "bleu_long"})

# The pipeline's name is also that of the endpoint, unless `endpoint.name` is set.
Name = Annotated[str, Field(max_length=50, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")]

# The parts of a run in its table of times.
RunPart = Literal["preparation", "trials", "baseline", "evaluation", "rest", "total"]


class Config(ConfigSection):
    """`longspan.yaml`: one pipeline, from pairs to an endpoint."""

    name: Name = Field("longspan", description="name of the pipeline and of its resources")
    data: DataSection = Field(description="the pairs")
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
        default_factory=lambda: GateSection(), description="minimums that a model must reach"
    )
    registry: RegistrySection = Field(
        default_factory=lambda: RegistrySection(), description="the model package"
    )
    endpoint: EndpointSection = Field(
        default_factory=lambda: EndpointSection(), description="the endpoint that serves the model"
    )
    aws: AwsSection = Field(
        default_factory=lambda: AwsSection(), description="account, network, keys: AWS only"
    )
    prices: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="US dollars per hour by machine type, instead of the table's (docs/config.md)",
    )
    planned_seconds: dict[RunPart, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict,
        description="planned seconds of preparation, trials, baseline, evaluation, rest, total, "
        "to compare",
    )

    @property
    def group(self) -> str:
        """Name of the model package group."""
        return self.registry.group or self.name

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        return self.endpoint.name or self.name

    @property
    def baseline_hyperparameters(self) -> dict[str, Any]:
        """Hyperparameters of the baseline."""
        return {**self.training.hyperparameters, **self.baseline.hyperparameters}

    @model_validator(mode="after")
    def _refuse_mistakes(self) -> "Config":
        found = tuple(self.mistakes())
        if found:
            raise ConfigError(found)
        return self

    def mistakes(self) -> Iterator[Mistake]:
        """Yield the mistakes of each section; if there are none, those between sections."""
        # The three names below are plain values; all others are sections.
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
            yield from self._tokenizer_mistakes()
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
                    f"expected no key for {machine} of {section}, which encrypts its own disks; "
                    "leave it out, or choose a machine without local disks, such as ml.m5.xlarge",
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
                "tuning.search_space has it too; leave it out in one of the two places; "
                "baseline.hyperparameters sets it for the baseline alone",
            )

    def _tokenizer_mistakes(self) -> Iterator[Mistake]:
        """Yield a tokenizer of one job that differs from the one of all others."""
        for section in ("training", "baseline"):
            given = getattr(self, section).hyperparameters.get("bleu_tokenizer")
            if given is not None and given != self.evaluation.bleu_tokenizer:
                yield Mistake(
                    (section, "hyperparameters", "bleu_tokenizer"),
                    f"expected evaluation.bleu_tokenizer={self.evaluation.bleu_tokenizer}, which "
                    f"holds for all jobs, got {given}; set evaluation.bleu_tokenizer: {given}",
                )

    def _stopping_mistakes(self) -> Iterator[Mistake]:
        """Yield a search that stops jobs early without measuring their objective meanwhile."""
        tuning, given = self.tuning, self.training.hyperparameters
        key = "strategy" if tuning.strategy == "Hyperband" else "early_stopping"
        if key == "early_stopping" and not tuning.early_stopping:
            return
        # Translating takes time, so a job translates at each checkpoint only if it chooses its
        # own best model by BLEU. It measures the other metrics at every checkpoint.
        measured = given.get("optimized_metric", Hyperparameters.defaults()["optimized_metric"])
        wanted = tuning.objective.removeprefix("validation:")
        if wanted in _BY_TRANSLATING and measured != wanted:
            yield Mistake(
                ("tuning", key),
                f"stopping jobs early needs their {wanted} at each checkpoint, but checkpoints "
                f"measure {measured}; set training.hyperparameters.optimized_metric: {wanted}",
            )

    def _resource_mistakes(self) -> Iterator[Mistake]:
        """Yield a `max_resource` with which Hyperband stops even the best job before its end."""
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
                f"{problem}; training.hyperparameters apply here too",
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
                    f"serverless endpoints do not support aws.{name}; choose machines instead",
                )
