"""Section `aws`: account, network, keys. The local cloud needs none of it."""

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
    """KMS keys of the account; without them AWS uses keys of its own."""

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
    """Retries of a step after internal errors of AWS and for lack of machines."""

    attempts: int = Field(3, ge=1, le=20, description="retries of a step")
    interval_seconds: int = Field(60, ge=1, description="pause before the first retry")
    backoff: float = Field(2.0, ge=1, description="each pause is longer by this factor")


class AwsSection(ConfigSection):
    """The account and machines of AWS; `longspan run --aws` needs role, bucket and image."""

    region: str | None = Field(
        None,
        pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        description="region such as eu-central-1; left out: that of the AWS configuration",
        examples=["eu-central-1"],
    )
    role: str | None = Field(
        None, description="ARN or name of the execution role", examples=["SageMakerExecutionRole"]
    )
    bucket: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="S3 bucket of data and models",
        examples=["my-bucket"],
    )
    prefix: str = Field(
        "longspan",
        pattern=r"^[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*$",
        description="prefix of all objects in the bucket",
    )
    image: str | None = Field(
        None,
        pattern=r"^\S{1,255}$",
        description="URI of the image in ECR; with a digest, so that caching sees changes",
        examples=["123456789012.dkr.ecr.eu-central-1.amazonaws.com/longspan:0.1.0"],
    )
    kms: KmsSection = Field(
        default_factory=lambda: KmsSection(), description="KMS keys of the account"
    )
    vpc: VpcSection | None = Field(None, description="network of the account")
    network_isolation: bool = Field(
        False, description="containers have no network; SageMaker still transfers their data"
    )
    encrypt_traffic: bool = Field(
        False, description="encrypt traffic between machines of one training job; slower"
    )
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict, max_length=45, description="tags of all created resources"
    )
    retries: RetriesSection = Field(
        default_factory=lambda: RetriesSection(), description="of steps"
    )
    cache_days: int = Field(
        30, ge=0, le=365, description="reuse results of steps up to this age; 0: never"
    )
    parallel_steps: int | None = Field(
        None, ge=1, le=200, description="steps at a time; left out: AWS's limit", examples=[4]
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Yield a role that is neither an ARN nor a name, and tags that AWS reserves."""
        if self.role is not None and not (
            _ROLE_ARN.fullmatch(self.role) or _ROLE_NAME.fullmatch(self.role)
        ):
            yield Mistake(
                ("role",),
                f"expected arn:aws:iam::ACCOUNT:role/NAME or the name of a role, got {self.role}",
            )
        for key in self.tags:
            if key.lower().startswith("aws:"):
                yield Mistake(
                    ("tags", key), "AWS reserves names that begin with aws:; choose another name"
                )
