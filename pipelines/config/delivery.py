"""Sections `evaluation`, `gate`, `registry` and `endpoint`: from a model to its endpoint."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from longspan.pipelines.config.section import ConfigSection, Variables
from longspan.training.bleu_tokenizers import BleuTokenizerName
from longspan.training.buckets import LEAST_BLEU
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.mistakes import Mistake
from longspan.training.values import field_of

__all__ = [
    "AutoscalingSection",
    "EndpointSection",
    "EvaluationSection",
    "GateSection",
    "RegistrySection",
    "ServerlessSection",
]

# Patterns of SageMaker's names: letters, digits and hyphens between them.
GroupName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]
AlarmName = Annotated[str, Field(max_length=255, pattern=r"^\S(.*\S)?$")]
# The name of an endpoint config, at most 63 characters, is that of the endpoint, a hyphen, and the
# 12 characters of an execution's id.
EndpointName = Annotated[str, Field(max_length=50, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")]


class EvaluationSection(ConfigSection):
    """The Evaluate step: translates the test pairs with the tuned model and the baseline."""

    instance_type: str = Field("ml.m5.2xlarge", description="machine of the Evaluate step")
    volume_gb: int = Field(30, ge=1, le=16_384, description="disk of the Evaluate step, in GB")
    max_runtime_minutes: int = Field(
        240, ge=1, le=12_960, description="the Evaluate step fails after this"
    )
    bleu_tokenizer: BleuTokenizerName = field_of(Hyperparameters, "bleu_tokenizer")
    documents: bool = Field(
        True,
        description="also translate the test's documents joined to longer pieces and whole, if it "
        "has a column with documents",
    )
    group_words: list[Annotated[int, Field(ge=1)]] = Field(
        [30, 60, 150],
        max_length=8,
        description="source words of the groups that documents are divided into",
    )


class GateSection(ConfigSection):
    """Minimums that a model must reach to be registered; each is also a pipeline parameter.

    The defaults are for real text, on which good models may have 15 BLEU: docs/config.md.
    """

    minimum_bleu_long: float = Field(
        8.0, ge=0, le=100, description="BLEU of test sentences of more than 100 words"
    )
    minimum_bleu_short: float = Field(
        LEAST_BLEU, ge=0, le=100, description="BLEU up to 20 words, and at 11-20 words"
    )
    minimum_share_kept: float = Field(
        0.7, ge=0, le=1, description="BLEU over 100 words as a share of that at 11-20 words"
    )
    minimum_distinct: float = Field(
        0.5, ge=0, le=1, description="different translations as a share of different references"
    )
    minimum_bleu_long_change: float = Field(
        0.0, ge=-100, le=100, description="BLEU over 100 words, minus the baseline's"
    )
    minimum_bleu_short_change: float = Field(
        -1.0, ge=-100, le=100, description="BLEU up to 20 words, minus the baseline's"
    )
    allow_incomplete_training: bool = Field(
        False, description="accept a model whose training ended early, by a time limit or a stop"
    )

    @property
    def minimums(self) -> dict[str, float]:
        """Minimums by name; that of `training_complete` is 1.0, or 0.0 to allow incomplete ones."""
        complete = 0.0 if self.allow_incomplete_training else 1.0
        floors = self.model_dump(exclude={"allow_incomplete_training"})
        return {**floors, "minimum_training_complete": complete}


class RegistrySection(ConfigSection):
    """The registration of a model as a model package."""

    group: GroupName | None = Field(
        None, description="model package group; left out: the config's name", examples=["my-models"]
    )
    approval_status: Literal["Approved", "PendingManualApproval", "Rejected"] = Field(
        "Approved",
        description="PendingManualApproval registers a version and does not deploy it",
    )


class AutoscalingSection(ConfigSection):
    """Machines by load, set when the endpoint is in service."""

    min_instances: int = Field(1, ge=1, description="fewest machines")
    max_instances: int = Field(4, ge=1, description="most machines")
    target_invocations: int = Field(
        60, ge=1, description="target of requests per minute for each machine"
    )
    scale_in_seconds: int = Field(300, ge=0, description="pause before a machine is removed")
    scale_out_seconds: int = Field(60, ge=0, description="pause before a machine is added")


class ServerlessSection(ConfigSection):
    """An endpoint without machines of its own: paid per request, slow at the first request."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = Field(
        4096, description="1024, 2048, 3072, 4096, 5120 or 6144"
    )
    max_concurrency: int = Field(5, ge=1, le=200, description="requests at a time")


class EndpointSection(ConfigSection):
    """The endpoint that serves an approved model."""

    enabled: bool = Field(True, description="create or update it at the end of the pipeline")
    name: EndpointName | None = Field(
        None,
        description="name of the endpoint; left out: the config's name",
        examples=["my-endpoint"],
    )
    instance_type: str = Field("ml.m5.xlarge", description="machine of the endpoint")
    instance_count: int = Field(1, ge=1, description="machines at the start")
    autoscaling: AutoscalingSection | None = Field(None, description="number of machines by load")
    serverless: ServerlessSection | None = Field(
        None, description="no machines, in place of the three keys above"
    )
    variables: Variables = Field(
        default_factory=dict, description="environment variables of the serving container"
    )
    rollback_alarms: list[AlarmName] = Field(
        default_factory=list,
        max_length=10,
        description="CloudWatch alarms that roll an update back while AWS watches it",
        examples=[["longspan-5xx", "longspan-p99"]],
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Yield machines of a serverless endpoint, and counts outside of autoscaling's range."""
        if self.serverless is not None:
            if self.rollback_alarms:
                yield Mistake(
                    ("rollback_alarms",),
                    "AWS does not watch updates of serverless endpoints; leave it out",
                )
            for name in ("instance_type", "instance_count", "autoscaling"):
                # Only what the file sets: the defaults of machines do no harm.
                if name in self.model_fields_set and getattr(self, name) is not None:
                    yield Mistake((name,), "serverless has no machines; leave out one of the two")
        elif self.autoscaling is not None:
            low, high = self.autoscaling.min_instances, self.autoscaling.max_instances
            if low > high:
                yield Mistake(
                    ("autoscaling", "min_instances"),
                    f"expected at most max_instances={high}, got {low}",
                )
            elif not low <= self.instance_count <= high:
                yield Mistake(
                    ("instance_count",),
                    f"expected within autoscaling's {low} to {high}, got {self.instance_count}",
                )
