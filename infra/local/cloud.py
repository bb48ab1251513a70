"""The local cloud: puts its parts together, starts and stops them."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from longspan.infra.local.account import Account, create_account
from longspan.infra.local.claim import Claim
from longspan.infra.local.clients import Clients, Credentials
from longspan.infra.local.context import Context
from longspan.infra.local.control_plane import ControlPlane, Service
from longspan.infra.local.documents import Documents
from longspan.infra.local.endpoint_configs import EndpointConfigs
from longspan.infra.local.endpoints import Endpoints
from longspan.infra.local.kept.keeper import AGENT, Keeper
from longspan.infra.local.model_packages import ModelPackages
from longspan.infra.local.models import Models
from longspan.infra.local.moto_access import require_signatures
from longspan.infra.local.moto_server import MotoServer
from longspan.infra.local.pipelines import Pipelines
from longspan.infra.local.processing_jobs import processing_jobs
from longspan.infra.local.runtime import Runtime
from longspan.infra.local.tags import Tags
from longspan.infra.local.training_jobs import training_jobs
from longspan.infra.local.transform_jobs import transform_jobs
from longspan.infra.local.tuning_jobs import TuningJobs

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
        self._claim = Claim(settings.directory)
        try:
            self._server = MotoServer(settings.port)
        except BaseException:
            self._claim.release()
            raise
        self._runtime = runtime
        self._workplace = settings.directory / "work"
        # What a crashed run left there belongs to jobs that are no more.
        shutil.rmtree(self._workplace, ignore_errors=True)
        self._workplace.mkdir()
        self.url = self._server.start()
        self._keeper = Keeper(settings.directory / "services")
        self.account = self._open_account(settings.region)
        context = Context(
            documents=Documents(settings.directory / "state"),
            clients=Clients(self.url, self.account.administrator),
            runtime=runtime,
            workplace=self._workplace,
            now=time.time,
        )
        endpoints = Endpoints(context)
        self._control_plane = ControlPlane(_services(context, endpoints))
        self._server.answer_sagemaker(self._control_plane.handle)
        self._server.answer_invocations(endpoints.invoke)
        if settings.iam:
            require_signatures()
        self._control_plane.recover()
        self._claim.publish(self.environment())

    def _open_account(self, region: str) -> Account:
        """What an earlier run kept, and what is missing of an account; kept from now on."""
        # Nobody checks keys yet.
        self._keeper.restore(Clients(self.url, Credentials("local", "local")))
        self._server.watch(self._keeper.changed, AGENT)
        account = create_account(self.url, region)
        self._keeper.start(Clients(self.url, account.administrator, AGENT))
        return account

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
        self._keeper.close()
        self._server.stop()
        shutil.rmtree(self._workplace, ignore_errors=True)
        self._claim.release()


def _services(context: Context, endpoints: Endpoints) -> Sequence[Service]:
    """In the order in which they build on each other."""
    training = training_jobs(context)
    return (
        Tags(context),
        processing_jobs(context),
        training,
        TuningJobs(context, training),
        ModelPackages(context),
        Models(context),
        transform_jobs(context),
        EndpointConfigs(context),
        endpoints,
        Pipelines(context),
    )
