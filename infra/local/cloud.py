"""The local cloud: composition, start and end of its parts."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from longspan.infra.local.claim import Claim
from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.control_plane import ApiService, ControlPlane
from longspan.infra.local.control.documents import Documents
from longspan.infra.local.control.tags import Tags
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.endpoints.configs import EndpointConfigs
from longspan.infra.local.endpoints.deployments import Deployments
from longspan.infra.local.endpoints.service import Endpoints
from longspan.infra.local.jobs.kinds import (
    processing_job_service,
    training_job_service,
    transform_job_service,
)
from longspan.infra.local.models.models import Models
from longspan.infra.local.models.packages import ModelPackages
from longspan.infra.local.moto.access import enforce_policies
from longspan.infra.local.moto.account import Account, create_account
from longspan.infra.local.moto.internals import complete_log_filter
from longspan.infra.local.moto.persisted.persister import PERSISTER_AGENT, Persister
from longspan.infra.local.moto.server import MotoServer
from longspan.infra.local.moto.simulation import answer_simulations
from longspan.infra.local.moto.stack_resources import answer_stacks
from longspan.infra.local.pipeline.service import Pipelines
from longspan.infra.local.runtimes.runtime import Runtime
from longspan.infra.local.tuning.service import TuningJobs
from longspan.infra.local.variables import cloud_variables, write_sdk_defaults

__all__ = ["Cloud", "CloudSettings", "services"]


@dataclass(frozen=True)
class CloudSettings:
    """Settings of the local cloud.

    `directory` has the state and logs, and the folders of jobs. `port` 0 stands for a free port.
    `iam` refuses requests that the caller's policies do not allow. `any_key` accepts requests
    without a valid signature. `at_rest` serves a read-only copy of the directory's state from
    memory: nothing is started, and no change is written.
    """

    directory: Path
    port: int = 0
    region: str = "us-east-1"
    iam: bool = False
    any_key: bool = False
    at_rest: bool = False


class Cloud:
    """Running local cloud; `close` ends all that it started."""

    def __init__(self, settings: CloudSettings, runtime: Runtime) -> None:
        """Start to serve. Raises LocalCloudError, and OSError for an unusable directory."""
        with ExitStack() as stack:
            self._start(settings, runtime, stack)
            # The start succeeded: now `close` ends the parts, instead of the `with` block.
            self._stack = stack.pop_all()

    def _start(self, settings: CloudSettings, runtime: Runtime, stack: ExitStack) -> None:
        """Start the parts; `stack` ends the started ones in reverse order."""
        claim = None if settings.at_rest else stack.enter_context(Claim(settings.directory))
        documents = Documents(settings.directory / "state", persist=not settings.at_rest)
        stack.callback(documents.close)
        workplace = stack.enter_context(_workplace(settings))
        complete_log_filter()
        answer_simulations()
        server = MotoServer(settings.port, any_key=settings.any_key)
        server.accept_host(runtime.gateway)
        self.url = server.start()
        # The parts end in reverse order: threads, runtime, persister, server, the jobs' folder,
        # documents, claim. Threads that end still use containers and the API, and change state
        # that is saved after them.
        stack.callback(server.stop)
        persister = Persister(settings.directory / "services", saves=not settings.at_rest)
        self.account = _open_account(server, self.url, persister, settings.region)
        stack.callback(persister.close)
        clients = Clients(self.url, self.account.administrator)
        answer_stacks(clients)
        stack.callback(runtime.close)
        threads = Threads(documents)
        context = Context(documents, threads, clients, runtime, workplace, time.time)
        deployments = Deployments(context)
        endpoints = Endpoints(context, deployments, at_rest=settings.at_rest)
        control_plane = ControlPlane(services(context, endpoints))
        stack.callback(threads.close)
        server.answer_sagemaker(control_plane.handle)
        server.answer_invocations(deployments.invoke)
        if settings.iam:
            # Not earlier: `create_account` sends requests before there is a user with policies.
            enforce_policies()
        # After the server answers, since restored endpoints read their models through the API at
        # once.
        control_plane.recover()
        self._sdk_defaults: dict[str, str] = {}
        if claim is not None:
            self._sdk_defaults = write_sdk_defaults(settings.directory, self.account)
            # Last: a program that finds the card can use the cloud.
            claim.publish(self.environment())

    def environment(self) -> dict[str, str]:
        """Return the variables by which boto3, the SDK and `longspan` use this cloud."""
        return {**cloud_variables(self.url, self.account, os.environ), **self._sdk_defaults}

    def close(self) -> None:
        """End executions, endpoints and jobs, then the server; keep the state on disk."""
        self._stack.close()


@contextmanager
def _workplace(settings: CloudSettings) -> Iterator[Path]:
    """Create an empty folder for jobs, and delete it at the end."""
    if settings.at_rest:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    workplace = settings.directory / "work"
    # Delete the folders of jobs of a crashed cloud.
    shutil.rmtree(workplace, ignore_errors=True)
    workplace.mkdir(mode=0o700)
    try:
        yield workplace
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _open_account(server: MotoServer, url: str, persister: Persister, region: str) -> Account:
    """Restore the state of moto, create missing parts of the account, and start to persist."""
    with server.temporary_credentials() as credentials:
        persister.restore(Clients(url, credentials))
        # Not before: what `restore` creates is on disk already.
        server.watch(persister.changed, PERSISTER_AGENT)
        server.refuse_while(persister.full)
        account = create_account(url, region, credentials)
    persister.start(Clients(url, account.administrator, PERSISTER_AGENT))
    return account


def services(context: Context, endpoints: Endpoints) -> Sequence[ApiService]:
    """Return all services, each after those that it uses."""
    training = training_job_service(context)
    return (
        Tags(context),
        processing_job_service(context),
        training,
        TuningJobs(context, training),
        ModelPackages(context),
        Models(context),
        transform_job_service(context),
        EndpointConfigs(context),
        endpoints,
        Pipelines(context),
    )
