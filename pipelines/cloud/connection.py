"""Where a command works: AWS, or a local cloud, which boto3 reaches in the same way.

Nothing reaches AWS unless it is asked for (`--aws`): credentials that lie about in the
environment start no bill.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from longspan.pipelines.cloud.aws_errors import AwsError, explained
from longspan.pipelines.cloud.local_cloud import LocalCloud, find_running

__all__ = ["CloudConnection", "connect_aws", "connect_local", "open_local"]

# AWS's own advice for a busy account; every retry waits longer than the one before.
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=10)
# A stage of a local run is milliseconds long.
_LOCAL_CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5)


@dataclass(frozen=True)
class CloudConnection:
    """A session with AWS or a local cloud, and the names that every request needs.

    `role_arn` and `bucket` are the local cloud's own ones there; on AWS the config gives them.
    """

    session: boto3.Session
    region: str
    account: str
    endpoint_url: str | None = None
    role_arn: str = ""
    bucket: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def local(self) -> bool:
        """Whether this is not AWS."""
        return self.endpoint_url is not None

    @property
    def poll_seconds(self) -> float:
        """How often to ask how things stand."""
        return 0.5 if self.local else 15.0

    def role(self, name: str | None) -> str:
        """The ARN of a role that the config names, or of the local cloud's own. Raises AwsError."""
        wanted = self.role_arn if self.local else name
        if not wanted:
            raise AwsError("expected aws.role in the config to work on AWS; add it")
        if wanted.startswith("arn:"):
            return wanted
        return f"arn:aws:iam::{self.account}:role/{wanted}"

    def client(self, service: str) -> Any:
        """The boto3 client of a service such as `sagemaker`."""
        return self.session.client(
            service,
            endpoint_url=self.endpoint_url,
            config=_LOCAL_CONFIG if self.local else _CONFIG,
        )


def connect_local(environment: Mapping[str, str]) -> CloudConnection:
    """To the local cloud that these variables lead to. Raises AwsError when it is not there."""
    url = environment["AWS_ENDPOINT_URL"]
    region = environment.get("AWS_DEFAULT_REGION", "us-east-1")
    session = boto3.Session(
        environment.get("AWS_ACCESS_KEY_ID", "local"),
        environment.get("AWS_SECRET_ACCESS_KEY", "local"),
        region_name=region,
    )
    with explained(f"the local cloud at {url}"):
        account = session.client("sts", endpoint_url=url, config=_LOCAL_CONFIG)
        identity = account.get_caller_identity()
    return CloudConnection(
        session=session,
        region=region,
        account=identity["Account"],
        endpoint_url=url,
        role_arn=environment.get("LONGSPAN_ROLE_ARN", ""),
        bucket=environment.get("LONGSPAN_BUCKET", ""),
        environment=environment,
    )


def connect_aws(region: str | None) -> CloudConnection:
    """To AWS with boto3's own chain of credentials. Raises AwsError without them."""
    with explained("signing in to AWS"):
        session = boto3.Session(region_name=region)
        identity = session.client("sts", config=_CONFIG).get_caller_identity()
    return CloudConnection(session=session, region=session.region_name, account=identity["Account"])


@contextlib.contextmanager
def open_local(
    directory: Path, environment: Mapping[str, str] = os.environ, *, to_look: bool = False
) -> Iterator[CloudConnection]:
    """A local cloud: the one that AWS_ENDPOINT_URL names, the one running on `directory`, or one
    started for as long as this lasts: `to_look` at what is there, with nothing brought up and
    nothing changed. Raises AwsError and LocalCloudStartError.
    """
    if "AWS_ENDPOINT_URL" in environment:
        yield connect_local(environment)
    elif (running := find_running(directory)) is not None:
        yield connect_local(running)
    else:
        with LocalCloud(directory, *["--at-rest"] * to_look) as cloud:
            yield connect_local(cloud.environment)
