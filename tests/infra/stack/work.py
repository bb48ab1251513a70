"""Everything that the roles are for, done once: an image, runs of the pipeline, deployments."""

import io
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3

from longspan.infra.image.docker import Docker
from longspan.infra.image.push import push
from longspan.infra.stack.template import read_template
from longspan.pipelines.cloud.connection import CloudConnection
from longspan.pipelines.config import Config, parse_config
from longspan.pipelines.deployment.deployment import Deployment, deploy, roll_back, variant
from longspan.pipelines.deployment.live_endpoint import list_endpoints, wait_in_service
from longspan.pipelines.deployment.model_registry import approve, choose_package
from longspan.pipelines.deployment.scaling import ScalingPolicy, scale
from longspan.pipelines.runs.execution import ExecutionState, list_executions, list_pipelines
from longspan.pipelines.runs.job_logs import read_log
from longspan.pipelines.runs.pipeline_run import PipelineRun
from longspan.pipelines.runs.results import fetch_evaluation
from longspan.pipelines.runs.search_history import search_history
from tests.infra.stack.functions import function

__all__ = [
    "PROJECT",
    "approve_and_measure",
    "deploy_and_return",
    "push_image",
    "register_and_deploy",
    "run_to_the_end",
    "stop_and_fail",
]

PROJECT = "longspan"
_SECONDS = 120.0

_CONFIG = """
name: {project}
data:
  source_language: en
  target_language: ja
  pairs: {pairs}
tuning: {{jobs: 1, parallel_jobs: 1}}
training: {{checkpoints: true{more}}}
gate: {{minimum_bleu_long: {minimum}}}
registry: {{approval_status: {status}}}
aws: {{retries: {{attempts: 1, interval_seconds: 1}}}}
"""


def config(
    folder: Path,
    *,
    first: str = "a\tb\n",
    slow: bool = False,
    minimum: float = 1,
    status: str = "Approved",
) -> Config:
    pairs = folder / f"{first.split()[0]}.tsv"
    pairs.write_text(first + "c\td\n", encoding="utf-8")
    more = ", variables: {SLOW: '1'}" if slow else ""
    values = {"pairs": pairs, "more": more, "minimum": minimum, "status": status}
    text = _CONFIG.format(project=PROJECT, **values)
    return parse_config(text, "the test's config")


def push_image(connection: CloudConnection, administrator: Any) -> None:
    """With a docker that does nothing: the administrator puts there what it would have sent."""
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": []}
    administrator.put_image(
        repositoryName=PROJECT, imageManifest=json.dumps(manifest), imageTag="1"
    )
    assert "@sha256:" in push(f"{PROJECT}:1", PROJECT, connection.client("ecr"), Docker("true"))


def stop_and_fail(connection: CloudConnection, folder: Path) -> None:
    """An execution that is stopped in each kind of job, and one that fails and is retried."""
    for stopped, wanted in (
        (config(folder, first="slow\tb\n"), {"Prepare"}),
        (config(folder, slow=True), {"Tune", "TrainBaseline"}),
    ):
        run = PipelineRun.start(stopped, connection, folder)
        _wait(lambda: wanted <= _executing(run))  # noqa: B023 - called at once
        run.execution.stop()
        assert run.wait(io.StringIO()).status == "Stopped"
    too_high = config(folder, minimum=99)
    assert PipelineRun.start(too_high, connection, folder).wait(io.StringIO()).status == "Failed"
    again = PipelineRun.start(too_high, connection, folder)
    assert again.resumed == "retried"
    assert again.wait(io.StringIO()).status == "Failed"


def run_to_the_end(connection: CloudConnection, folder: Path, first: str = "a\tb\n") -> None:
    """Twice: the endpoint is created, then updated. `first` is a pair that nobody prepared yet."""
    for _ in range(2):
        run = PipelineRun.start(config(folder, first=first), connection, folder, again=True)
        state = run.wait(io.StringIO())
        assert state.status == "Succeeded", _reasons(state)
    sagemaker = connection.client("sagemaker")
    fetch_evaluation(sagemaker, connection.client("s3"), state, folder / "evaluation")
    run.model(state)
    prepared, tune = state.step("Prepare"), state.step("Tune")
    assert prepared is not None
    assert tune is not None
    assert search_history(sagemaker, connection.client("logs"), tune.job)["jobs"]
    list(read_log(connection.client("logs"), prepared.job))
    assert list_pipelines(sagemaker) == [PROJECT]
    assert list(list_executions(sagemaker, PROJECT))


def register_and_deploy(connection: CloudConnection, folder: Path) -> str:
    """A version that waits is approved, and deployed where there is no endpoint; its ARN."""
    waiting = config(folder, status="PendingManualApproval")
    run = PipelineRun.start(waiting, connection, folder, again=True)
    state = run.wait(io.StringIO())
    assert state.status == "Succeeded", _reasons(state)
    sagemaker = connection.client("sagemaker")
    package = choose_package(sagemaker, PROJECT, None, approved=False)
    approve(sagemaker, package)
    _deploy(connection, waiting, package)
    return package


def approve_and_measure(
    administrator: Callable[[str], Any], sessions: Mapping[str, boto3.Session], package: str
) -> None:
    """What the two functions of the template do, each with its role: deploy, and translate."""
    _call(administrator, sessions, "deployment", {"detail": {"ModelPackageArn": package}})
    list(wait_in_service(administrator("sagemaker"), PROJECT, 0.2))
    variables = _variables(administrator, "canary")
    pair = json.dumps({"source": "so", "reference": "so"})
    administrator("s3").put_object(Bucket=variables["BUCKET"], Key=variables["KEY"], Body=pair)
    assert _call(administrator, sessions, "canary", {}) == {"up to 20": 100.0}


def _call(
    administrator: Callable[[str], Any],
    sessions: Mapping[str, boto3.Session],
    name: str,
    event: Mapping[str, Any],
) -> Any:
    url = administrator("sts").meta.endpoint_url
    clients = SimpleNamespace(
        client=lambda service: sessions[name].client(service, endpoint_url=url)
    )
    called = function(name.capitalize())
    with (
        mock.patch.dict(os.environ, _variables(administrator, name)),
        mock.patch.object(called, "boto3", clients),
    ):
        return called.handler(event, None)


def _variables(administrator: Callable[[str], Any], name: str) -> dict[str, str]:
    """As the stack gives them; moto's CloudFormation makes no alarms, so they are given here."""
    found = administrator("lambda").get_function_configuration(FunctionName=f"{PROJECT}-{name}")
    resources = read_template()["Resources"]
    watched = resources["Deployment"]["Properties"]["Environment"]["Variables"]["ALARMS"]
    names = [resources[one["Ref"]]["Properties"]["AlarmName"] for one in watched["Fn::Join"][1]]
    alarms = ",".join(one["Fn::Sub"].replace("${Project}", PROJECT) for one in names)
    return {**found["Environment"]["Variables"], "ALARMS": alarms}


def deploy_and_return(connection: CloudConnection, folder: Path) -> None:
    """The newest version replaces what serves, is asked, scaled, and taken back."""
    sagemaker = connection.client("sagemaker")
    _deploy(connection, config(folder), choose_package(sagemaker, PROJECT, None, approved=True))
    runtime = connection.client("sagemaker-runtime")
    runtime.invoke_endpoint(EndpointName=PROJECT, ContentType="text/plain", Body=b"hello")
    scaling = ScalingPolicy(1, 2, 60.0, 300, 60)
    scale(connection.client("application-autoscaling"), PROJECT, scaling)
    assert [found.name for found in list_endpoints(sagemaker)] == [PROJECT]
    roll_back(sagemaker, PROJECT)
    list(wait_in_service(sagemaker, PROJECT, 0.2))


def _deploy(connection: CloudConnection, config: Config, package: str) -> None:
    deployment = Deployment(
        endpoint=PROJECT,
        package_arn=package,
        role_arn=connection.role_arn,
        variant=variant(config.endpoint),
        token=secrets.token_hex(3),
        environment={},
    )
    sagemaker = connection.client("sagemaker")
    deploy(sagemaker, deployment)
    list(wait_in_service(sagemaker, PROJECT, 0.2))


def _executing(run: PipelineRun) -> set[str]:
    return {s.name for s in run.execution.state().steps if s.status == "Executing" and s.job}


def _reasons(state: ExecutionState) -> list[str]:
    return [f"{step.name}: {step.reason}" for step in state.steps if step.status == "Failed"]


def _wait(done: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.2)
