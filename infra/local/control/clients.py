"""boto3 clients of the local cloud: its own administrator's, and those of roles.

What runs here (jobs, executions) uses S3, logs and SageMaker as on AWS: through the API, with
the credentials of the role that it was given, so that a missing right is found here too.
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

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=120,
    retries={"mode": "standard", "max_attempts": 3},
    s3={"addressing_style": "path"},
    max_pool_connections=32,
)


_SESSION = 64  # characters of a session's name, at most
_SERVICE = "sagemaker.amazonaws.com"


@dataclass(frozen=True)
class Credentials:
    """An access key; `token` for those of a role."""

    key: str
    secret: str
    token: str | None = None


class RoleClients:
    """Clients with one identity in one region; each service's client is made once."""

    def __init__(
        self, url: str, credentials: Credentials, region: str, loader: Any, agent: str = ""
    ) -> None:
        core = botocore.session.Session()
        # Reading the services' models is most of what a new client costs.
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
        """The boto3 client of a service such as `s3`; usable from several threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.url, config=self._config
                )
            return self._clients[service]


class Clients:
    """Of the cloud at `url`; `administrator` may do everything."""

    def __init__(self, url: str, administrator: Credentials, agent: str = "") -> None:
        """`agent` is added to what the administrator's requests say of who sends them."""
        self.url = url
        self._agent = agent
        self._administrator = administrator
        self._loader = botocore.session.Session().get_component("data_loader")
        self._regions: dict[str, RoleClients] = {}
        self._lock = threading.Lock()

    def in_region(self, region: str) -> RoleClients:
        """The administrator's clients."""
        with self._lock:
            if region not in self._regions:
                self._regions[region] = RoleClients(
                    self.url, self._administrator, region, self._loader, self._agent
                )
            return self._regions[region]

    def as_role(self, role: str, region: str, session: str) -> RoleClients:
        """Clients with a role's rights; `session` names who uses them.

        Raises ValidationError when there is no such role or it does not trust SageMaker, in AWS's
        words.
        """
        administrator = self.in_region(region)
        try:
            found = administrator.client("iam").get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]
            if found["Arn"] != role:
                raise _not_assumed(role, f"the account has {found['Arn']}")
            if not _trusts_sagemaker(found["AssumeRolePolicyDocument"]):
                raise _not_assumed(role, "its trust policy does not name sagemaker.amazonaws.com")
            answer = administrator.client("sts").assume_role(
                RoleArn=role, RoleSessionName=f"SageMaker-{session}"[:_SESSION]
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
    """Whether a role's trust policy lets the service assume it."""
    return any(
        statement.get("Effect") == "Allow" and _SERVICE in _services(statement.get("Principal"))
        for statement in _list(policy.get("Statement"))
    )


def _services(principal: Any) -> list[str]:
    if principal == "*":
        return [_SERVICE]
    return _list(principal.get("Service")) if isinstance(principal, Mapping) else []


def _list(value: Any) -> list[Any]:
    """IAM takes one thing where it takes a list of them."""
    return value if isinstance(value, list) else [value] if value is not None else []
