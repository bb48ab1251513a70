"""Sections `evaluation`, `gate`, `registry` and `endpoint`: from a model to its service."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from longspan.pipelines.config.section import ConfigSection, Variables
from longspan.training.buckets import LEAST_BLEU
from longspan.training.mistakes import Mistake

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
# An endpoint config's name, of at most 63 characters, is the endpoint's, a hyphen and the
# execution's id of 12.
AlarmName = Annotated[str, Field(max_length=255, pattern=r"^\S(.*\S)?$")]
EndpointName = Annotated[str, Field(max_length=50, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")]


class EvaluationSection(ConfigSection):
    """The Evaluate step: translates the test pairs with the tuned model and the baseline."""

    instance_type: str = Field("ml.m5.2xlarge", description="machine of the Evaluate step")
    volume_gb: int = Field(30, ge=1, le=16_384, description="its disk, in GB")
    max_runtime_minutes: int = Field(
        240, ge=1, le=12_960, description="the Evaluate step fails after this"
    )


class GateSection(ConfigSection):
    """Minimums that a model must reach to be registered; each is a parameter of the pipeline too.

    The defaults are for real text, where good models may have 15 BLEU: docs/config.md.
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
        False, description="take a model whose training a limit of time or a stop ended early"
    )

    @property
    def minimums(self) -> dict[str, float]:
        """Minimum of each figure by name; complete training counts as 1.0, any other as 0.0."""
        complete = 0.0 if self.allow_incomplete_training else 1.0
        floors = self.model_dump(exclude={"allow_incomplete_training"})
        return {**floors, "minimum_training_complete": complete}


class RegistrySection(ConfigSection):
    """The model package that a model becomes."""

    group: GroupName | None = Field(
        None, description="model package group; left out: the config's name", examples=["my-models"]
    )
    approval_status: Literal["Approved", "PendingManualApproval", "Rejected"] = Field(
        "Approved", description="PendingManualApproval registers, and deploys nothing"
    )


class AutoscalingSection(ConfigSection):
    """Machines by load: set on the endpoint after it is in service."""

    min_instances: int = Field(1, ge=1, description="at least this many")
    max_instances: int = Field(4, ge=1, description="at most this many")
    target_invocations: int = Field(
        60, ge=1, description="requests a minute that one machine should have"
    )
    scale_in_seconds: int = Field(300, ge=0, description="pause before a machine is given back")
    scale_out_seconds: int = Field(60, ge=0, description="pause before another one is added")


class ServerlessSection(ConfigSection):
    """An endpoint without machines of its own: paid by request, slow at the first one."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = Field(
        4096, description="1024, 2048, 3072, 4096, 5120 or 6144"
    )
    max_concurrency: int = Field(5, ge=1, le=200, description="requests at a time")


class EndpointSection(ConfigSection):
    """The endpoint that serves an approved model."""

    enabled: bool = Field(True, description="create or update it at the end of the pipeline")
    name: EndpointName | None = Field(
        None, description="left out: the config's name", examples=["my-endpoint"]
    )
    instance_type: str = Field("ml.m5.xlarge", description="machine that serves")
    instance_count: int = Field(1, ge=1, description="machines at the start")
    autoscaling: AutoscalingSection | None = Field(None, description="machines by load")
    serverless: ServerlessSection | None = Field(
        None, description="no machines of its own, instead of the three above"
    )
    variables: Variables = Field(
        default_factory=dict, description="environment variables of the serving container"
    )
    rollback_alarms: list[AlarmName] = Field(
        default_factory=list,
        max_length=10,
        description="CloudWatch alarms that bring the old model back while an update is watched",
        examples=[["longspan-5xx", "longspan-p99"]],
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Serverless has no machines; autoscaling holds the count it starts with."""
        if self.serverless is not None:
            if self.rollback_alarms:
                yield Mistake(
                    ("rollback_alarms",), "AWS watches no update of a serverless endpoint"
                )
            for name in ("instance_type", "instance_count", "autoscaling"):
                if name in self.model_fields_set and getattr(self, name) is not None:
                    yield Mistake((name,), "serverless has no machines: leave one of the two out")
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
