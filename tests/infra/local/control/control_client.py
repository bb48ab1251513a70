"""Client for tests of services: a control plane in this process, without HTTP."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from longspan.infra.local.control.api import ApiCall, ApiError, Document
from longspan.infra.local.control.clients import Clients, Credentials
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.control_plane import ApiService, ControlPlane
from longspan.infra.local.control.documents import Documents
from longspan.infra.local.control.tags import Tags
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.endpoints.configs import EndpointConfigs
from longspan.infra.local.models.models import Models
from longspan.infra.local.models.packages import ModelPackages
from longspan.infra.local.moto.account import Account, create_account
from longspan.infra.local.moto.server import MotoServer
from longspan.infra.local.runtimes.runtime import Runtime

__all__ = ["ControlClient", "open_control"]

REGION = "us-east-1"


@dataclass
class ControlClient:
    """Client of a control plane whose clock advances by one second at each reading."""

    plane: ControlPlane
    account: Account
    s3: Any

    def call(self, operation: str, *, region: str = REGION, **request: Any) -> Document:
        caller = "arn:aws:iam::123456789012:user/tester"
        return self.plane.handle(ApiCall(operation, request, region, self.account.id, caller))

    def refusal(self, operation: str, **request: Any) -> tuple[str, str]:
        """Code and message."""
        with pytest.raises(ApiError) as caught:
            self.call(operation, **request)
        return caught.value.code, str(caught.value)

    def pages(self, operation: str, member: str, **request: Any) -> Iterator[Document]:
        while True:
            answer = self.call(operation, **request)
            yield from answer[member]
            if not answer.get("NextToken"):
                return
            request["NextToken"] = answer["NextToken"]

    def upload(self, key: str, content: bytes = b"x") -> str:
        self.s3.put_object(Bucket=self.account.bucket, Key=key, Body=content)
        return f"s3://{self.account.bucket}/{key}"

    def model(self, name: str) -> str:
        """The ARN of a model that brings its data with its image."""
        created = self.call(
            "CreateModel",
            ModelName=name,
            ExecutionRoleArn=self.account.role_arn,
            PrimaryContainer={"Image": "image"},
        )
        return str(created["ModelArn"])


def _services(context: Context) -> Sequence[ApiService]:
    return Tags(context), ModelPackages(context), Models(context), EndpointConfigs(context)


@contextmanager
def open_control(
    folder: Path, services: Callable[[Context], Sequence[ApiService]] = _services
) -> Iterator[ControlClient]:
    """Open a client of services without jobs and endpoints."""
    server = MotoServer(any_key=True)
    url = server.start()
    account = create_account(url, REGION, Credentials("local", "local"))
    clients = Clients(url, account.administrator)
    ticks = iter(range(1, 1_000_000))
    documents = Documents(folder / "state")
    context = Context(
        documents,
        Threads(documents),
        clients,
        cast(Runtime, None),
        folder,
        lambda: float(next(ticks)),
    )
    yield ControlClient(
        ControlPlane(services(context)), account, clients.in_region(REGION).client("s3")
    )
    server.stop()
