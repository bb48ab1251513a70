"""Section `aws`: account, network, keys. Nothing of it is needed on the local cloud."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from longspan.pipelines.config.section import ConfigSection, KmsKey
from longspan.training.mistakes import Mistake

__all__ = ["AwsSection", "KmsSection", "RetriesSection", "VpcSection"]

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)

TagKey = Annotated[str, Field(max_length=128, pattern=r"^[\w\s.:/=+\-@]+$")]
TagValue = Annotated[str, Field(min_length=0, max_length=256, pattern=r"^[\w\s.:/=+\-@]*$")]
NetworkId = Annotated[str, Field(pattern=r"^[-0-9a-zA-Z]{1,32}$")]


class KmsSection(ConfigSection):
    """Keys of the account's own; left out, AWS's keys are used."""

    volume: KmsKey | None = Field(
        None, description="encrypts the machines' disks", examples=["alias/my-key"]
    )
    output: KmsKey | None = Field(
        None, description="encrypts what jobs write to S3", examples=["alias/my-key"]
    )


class VpcSection(ConfigSection):
    """The network that jobs and endpoints are attached to."""

    subnets: list[NetworkId] = Field(
        min_length=1, max_length=16, description="ids", examples=[["subnet-0123456789abcdef0"]]
    )
    security_groups: list[NetworkId] = Field(
        min_length=1, max_length=5, description="ids", examples=[["sg-0123456789abcdef0"]]
    )


class RetriesSection(ConfigSection):
    """How often a step is tried again after a fault of AWS's, or for lack of machines."""

    attempts: int = Field(3, ge=1, le=20, description="tries after the first one")
    interval_seconds: int = Field(60, ge=1, description="before the first of them")
    backoff: float = Field(2.0, ge=1, description="each pause is this many times the one before")


class AwsSection(ConfigSection):
    """Where the pipeline runs on AWS; `longspan run --aws` needs role, bucket and image."""

    region: str | None = Field(
        None,
        pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        description="such as eu-central-1; left out: as the AWS configuration says",
        examples=["eu-central-1"],
    )
    role: str | None = Field(
        None, description="ARN or name of the execution role", examples=["SageMakerExecutionRole"]
    )
    bucket: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="of data and models",
        examples=["my-bucket"],
    )
    prefix: str = Field(
        "longspan",
        pattern=r"^[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*$",
        description="of everything that is written to the bucket",
    )
    image: str | None = Field(
        None,
        pattern=r"^\S{1,255}$",
        description="URI of the project's image in ECR; by digest, so that caching sees changes",
        examples=["123456789012.dkr.ecr.eu-central-1.amazonaws.com/longspan:0.1.0"],
    )
    kms: KmsSection = Field(default_factory=lambda: KmsSection(), description="keys of your own")
    vpc: VpcSection | None = Field(None, description="network of your own")
    network_isolation: bool = Field(
        False, description="no network for the containers but SageMaker's own hand-over of data"
    )
    encrypt_traffic: bool = Field(
        False, description="between the machines of one training job; slower"
    )
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict, max_length=45, description="on everything that is created"
    )
    retries: RetriesSection = Field(
        default_factory=lambda: RetriesSection(), description="of steps"
    )
    cache_days: int = Field(
        30, ge=0, le=365, description="how old a step's result may be to be used again; 0: never"
    )
    parallel_steps: int | None = Field(
        None, ge=1, le=200, description="steps at a time; left out: AWS's own limit", examples=[4]
    )

    def mistakes(self) -> Iterator[Mistake]:
        """A role that is neither ARN nor name; tags that AWS keeps to itself."""
        if self.role is not None and not (
            _ROLE_ARN.fullmatch(self.role) or _ROLE_NAME.fullmatch(self.role)
        ):
            yield Mistake(
                ("role",),
                f"expected arn:aws:iam::ACCOUNT:role/NAME or a role's name, got {self.role}",
            )
        for key in self.tags:
            if key.lower().startswith("aws:"):
                yield Mistake(("tags", key), "AWS keeps aws: to itself: choose another name")
