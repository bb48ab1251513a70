"""The local cloud: puts its parts together, starts and stops them."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from longspan.infra.local.account import Account, create_account
from longspan.infra.local.clients import Clients
from longspan.infra.local.context import Context
from longspan.infra.local.control_plane import ControlPlane, Service
from longspan.infra.local.documents import Documents
from longspan.infra.local.moto_server import MotoServer, require_signatures
from longspan.infra.local.runtime import Runtime

__all__ = ["Cloud", "CloudSettings"]


@dataclass(frozen=True)
class CloudSettings:
    """How to run the local cloud.

    `directory` keeps state and logs, and holds what jobs work with. `port` 0 takes a free one.
    `iam` refuses what the caller's policies do not allow, from the start.
    """

    directory: Path
    port: int = 0
    region: str = "us-east-1"
    iam: bool = False


class Cloud:
    """A running local cloud; `close` ends everything that it started."""

    def __init__(self, settings: CloudSettings, runtime: Runtime) -> None:
        """Start to serve. Raises OSError when the port is taken, LocalCloudError otherwise."""
        self._runtime = runtime
        self._workplace = settings.directory / "work"
        # What a crashed run left there belongs to jobs that are no more.
        shutil.rmtree(self._workplace, ignore_errors=True)
        self._workplace.mkdir(parents=True)
        self._server = MotoServer(settings.port)
        self.url = self._server.start()
        self.account: Account = create_account(self.url, settings.region)
        context = Context(
            documents=Documents(settings.directory / "state"),
            clients=Clients(self.url, self.account.administrator),
            runtime=runtime,
            workplace=self._workplace,
            now=time.time,
        )
        self._control_plane = ControlPlane(_services(context))
        self._server.answer_sagemaker(self._control_plane.operations, self._control_plane.handle)
        if settings.iam:
            require_signatures()
        self._control_plane.recover()

    def environment(self) -> dict[str, str]:
        """The variables that lead boto3, the SDK and `longspan` here."""
        administrator = self.account.administrator
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": administrator.key,
            "AWS_SECRET_ACCESS_KEY": administrator.secret,
            "AWS_DEFAULT_REGION": self.account.region,
            "LONGSPAN_ROLE_ARN": self.account.role_arn,
            "LONGSPAN_BUCKET": self.account.bucket,
        }

    def close(self) -> None:
        """Stop executions, endpoints and jobs, then the server; the state stays."""
        self._control_plane.close()
        self._runtime.close()
        self._server.stop()
        shutil.rmtree(self._workplace, ignore_errors=True)


def _services(context: Context) -> Sequence[Service]:
    """In the order in which they build on each other."""
    return ()
