"""The target of a pipeline: account, names and addresses that the config does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from longspan.pipelines.config import Config

__all__ = ["Target"]

_ACCOUNT = "123456789012"
_REGION = "us-east-1"


@dataclass(frozen=True)
class Target:
    """Account, names and addresses to run a pipeline with.

    URIs of data are S3 prefixes or objects.
    """

    region: str
    account: str
    role_arn: str
    bucket: str
    image_uri: str
    pairs_uri: str
    validation_uri: str | None = None
    test_uri: str | None = None

    @classmethod
    def placeholder(cls, config: Config) -> "Target":
        """Return a target for a look at the definition without an account, with made-up names."""
        region = config.aws.region or _REGION
        bucket = config.aws.bucket or "bucket"
        role = config.aws.role or "longspan"
        place = f"s3://{bucket}/{config.aws.prefix}/{config.name}/data"
        data = config.data
        # A sample brings its own validation and test pairs.
        held_out = data.sample is not None
        return cls(
            region=region,
            account=_ACCOUNT,
            role_arn=role if role.startswith("arn:") else f"arn:aws:iam::{_ACCOUNT}:role/{role}",
            bucket=bucket,
            image_uri=config.aws.image
            or f"{_ACCOUNT}.dkr.ecr.{region}.amazonaws.com/longspan:latest",
            pairs_uri=_uri(data.pairs, f"{place}/pairs"),
            validation_uri=_uri(data.validation, f"{place}/validation")
            if held_out or data.validation
            else None,
            test_uri=_uri(data.test, f"{place}/test") if held_out or data.test else None,
        )


def _uri(files: Sequence[str] | None, uploaded: str) -> str:
    """Return the s3:// prefix if `files` is one, else the URI they are `uploaded` to."""
    return files[0] if files and files[0].startswith("s3://") else uploaded
