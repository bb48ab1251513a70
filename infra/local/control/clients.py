"""boto3 clients of the local cloud: those of its administrator, and those of roles.

Jobs and executions use S3, logs and SageMaker as on AWS: through the API, with the credentials of
their role. So the local cloud also finds a permission that is missing.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from longspan.infra.local.control.api import ValidationError

__all__ = ["Clients", "Credentials", "RoleClients"]

# Path-style addresses, because host names of buckets do not resolve to the local cloud.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=120,
    retries={"mode": "standard", "max_attempts": 3},
    s3={"addressing_style": "path"},
    max_pool_connections=32,
    # A proxy of the user's must not see keys, and cannot reach this machine's loopback.
    proxies={},
)


_LONGEST_SESSION = 64  # characters of a session's name
_SERVICE = "sagemaker.amazonaws.com"


@dataclass(frozen=True)
class Credentials:
    """An access key with its secret; `token` is set for the credentials of a role."""

    key: str
    secret: str
    token: str | None = None


class RoleClients:
    """Clients with one identity in one region; the client of each service is created once."""

    def __init__(
        self, url: str, credentials: Credentials, region: str, loader: Any, agent: str = ""
    ) -> None:
        core = botocore.session.Session()
        # A shared loader: reading the services' models is most of the cost of a new client.
        core.register_component("data_loader", loader)
        self._session = boto3.Session(
            aws_access_key_id=credentials.key,
            aws_secret_access_key=credentials.secret,
            aws_session_token=credentials.token,
            region_name=region,
            botocore_session=core,
        )
        self.url = url
        self.credentials = credentials
        self.region = region
        self._config = _CONFIG.merge(Config(user_agent_extra=agent)) if agent else _CONFIG
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service such as `s3`; safe to use in several threads."""
        # Threads may share a client, but must not create clients of one session at the same time.
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.url, config=self._config
                )
            return self._clients[service]


class Clients:
    """Clients of the cloud at `url`; the policies of `administrator` allow every action."""

    def __init__(self, url: str, administrator: Credentials, agent: str = "") -> None:
        """`agent` is appended to the user agent of the administrator's requests."""
        self.url = url
        self._agent = agent
        self._administrator = administrator
        self._loader = botocore.session.Session().get_component("data_loader")
        self._regions: dict[str, RoleClients] = {}
        self._lock = threading.Lock()

    def in_region(self, region: str) -> RoleClients:
        """Return the administrator's clients of one region."""
        with self._lock:
            if region not in self._regions:
                self._regions[region] = RoleClients(
                    self.url, self._administrator, region, self._loader, self._agent
                )
            return self._regions[region]

    def as_role(self, role: str, region: str, session: str) -> RoleClients:
        """Return clients with the permissions of a role (ARN); `session` names their user.

        Raises ValidationError, in AWS's words, for a role that does not exist or does not trust
        SageMaker.
        """
        administrator = self.in_region(region)
        try:
            found = administrator.client("iam").get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]
            # A role of another account or path may have the same name.
            if found["Arn"] != role:
                raise _not_assumed(role, f"the account has {found['Arn']}")
            if not _trusts_sagemaker(found["AssumeRolePolicyDocument"]):
                raise _not_assumed(role, "its trust policy does not name sagemaker.amazonaws.com")
            answer = administrator.client("sts").assume_role(
                RoleArn=role, RoleSessionName=f"SageMaker-{session}"[:_LONGEST_SESSION]
            )
        except ClientError as error:
            raise _not_assumed(role, error) from None
        given = answer["Credentials"]
        credentials = Credentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )
        return RoleClients(self.url, credentials, region, self._loader)


def _not_assumed(role: str, why: object) -> ValidationError:
    return ValidationError(
        f"Could not assume role {role}. Please ensure that the role exists and allows principal "
        f"'{_SERVICE}' to assume the role. ({why})"
    )


def _trusts_sagemaker(policy: Mapping[str, Any]) -> bool:
    """Return whether a role's trust policy lets SageMaker assume the role."""
    return any(
        statement.get("Effect") == "Allow" and _SERVICE in _services(statement.get("Principal"))
        for statement in _list(policy.get("Statement"))
    )


def _services(principal: Any) -> list[str]:
    if principal == "*":
        return [_SERVICE]
    return _list(principal.get("Service")) if isinstance(principal, Mapping) else []


def _list(value: Any) -> list[Any]:
    """Return a list: IAM accepts a single value in place of a list."""
    return value if isinstance(value, list) else [value] if value is not None else []
