"""Connections to AWS or to a local cloud, which boto3 reaches in the same way.

Only an explicit request (`--aws`) reaches AWS: credentials in the environment alone cost nothing.
"""

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from longspan.pipelines.cloud.aws_errors import AwsError, explained
from longspan.pipelines.cloud.local_cloud import LocalCloud, find_running

__all__ = ["CloudConnection", "connect_aws", "connect_local", "open_local"]

# AWS recommends the adaptive mode for busy accounts: each retry waits longer than the last.
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=10)
# Requests to the local cloud take milliseconds, and never go by a proxy.
_LOCAL_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, proxies={}
)
# The header `Server` of a local cloud, from `longspan.infra.local.moto.server`.
_SERVER = "longspan-local"


@dataclass(frozen=True)
class CloudConnection:
    """A boto3 session with AWS or a local cloud, and names that requests need.

    `role_arn` and `bucket` are those of the local cloud; on AWS they are empty and the config
    holds them. `environment` points other processes to the local cloud.
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
        """Whether this is a local cloud, not AWS."""
        return self.endpoint_url is not None

    @property
    def poll_seconds(self) -> float:
        """Seconds between two requests for a status."""
        return 0.5 if self.local else 15.0

    def role(self, name: str | None) -> str:
        """Return the ARN of the role `name`; on a local cloud that of its own role.

        Raises AwsError on AWS without a name.
        """
        wanted = self.role_arn if self.local else name
        if not wanted:
            raise AwsError("expected aws.role in the config to work on AWS, got none; set it")
        if wanted.startswith("arn:"):
            return wanted
        return f"arn:aws:iam::{self.account}:role/{wanted}"

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service such as `sagemaker`."""
        return self.session.client(
            service,
            endpoint_url=self.endpoint_url,
            config=_LOCAL_CONFIG if self.local else _CONFIG,
        )


def connect_local(environment: Mapping[str, str]) -> CloudConnection:
    """Connect to the local cloud that the variables name. Raises AwsError if it does not answer."""
    url = environment["AWS_ENDPOINT_URL"]
    region = environment.get("AWS_DEFAULT_REGION", "us-east-1")
    session = boto3.Session(
        environment.get("AWS_ACCESS_KEY_ID", "local"),
        environment.get("AWS_SECRET_ACCESS_KEY", "local"),
        region_name=region,
        botocore_session=_session_without_files(),
    )
    _check_server(url)
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


def _check_server(url: str) -> None:
    """Check that a local cloud answers at a URL. Raises AwsError."""
    wanted = f"AWS_ENDPOINT_URL: expected the address of a local cloud, got {url}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, method="HEAD"), timeout=10) as answer:
            found = answer.headers.get("Server", "")
    except urllib.error.HTTPError as answer:  # it answers, whatever it thinks of this request
        found = answer.headers.get("Server", "")
        answer.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise AwsError(f"{wanted}, where none answers ({error}); {_ADVICE}") from None
    if not found.startswith(_SERVER):
        raise AwsError(f"{wanted}, where another server answers; {_ADVICE}")


_ADVICE = "start one by `longspan local up`, unset the variable, or give --aws to work on AWS"


def _session_without_files() -> botocore.session.Session:
    """Return a session that reads no profile and no file of the user's AWS settings."""
    unset = (None, None, None, None)
    empty = (None, None, os.devnull, None)
    return botocore.session.Session(
        session_vars={"profile": unset, "config_file": empty, "credentials_file": empty}
    )


def connect_aws(region: str | None) -> CloudConnection:
    """Connect to AWS with boto3's chain of credentials. Raises AwsError without credentials."""
    with explained("signing in to AWS"):
        session = boto3.Session(region_name=region)
        identity = session.client("sts", config=_CONFIG).get_caller_identity()
    return CloudConnection(session=session, region=session.region_name, account=identity["Account"])


@contextlib.contextmanager
def open_local(
    directory: Path, environment: Mapping[str, str] = os.environ, *, at_rest: bool = False
) -> Iterator[CloudConnection]:
    """Connect to a local cloud, and start one if none runs.

    It is the one that AWS_ENDPOINT_URL names, else the one that runs on `directory`, else one that
    is started for the duration of the context. With `at_rest` a started one only shows what
    `directory` holds: it starts no endpoints and stores nothing. Raises AwsError and
    LocalCloudStartError.
    """
    if environment.get("AWS_ENDPOINT_URL"):
        yield connect_local(environment)
    elif (running := find_running(directory)) is not None:
        yield connect_local(running)
    else:
        with LocalCloud(directory, *["--at-rest"] * at_rest) as cloud:
            yield connect_local(cloud.environment)
