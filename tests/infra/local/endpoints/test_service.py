"""Endpoints over real processes, by unmodified boto3; the model is `tiny_server.py`'s."""

import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Documents, Key
from longspan.infra.local.control.invocations import Invocation, InvocationResponse, unavailable
from longspan.infra.local.control.threads import Threads
from longspan.infra.local.endpoints.deployments import Deployments
from longspan.infra.local.endpoints.fleet import EndpointFleet

WAIT = {"Delay": 1, "MaxAttempts": 180}
INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


@dataclass
class EndpointClient:
    """Client of a local cloud, with unique names for endpoints."""

    cloud: Any
    sagemaker: Any
    runtime: Any
    s3: Any
    names: list[str] = field(default_factory=list)

    def archive(self, name: str, **behaviour: Any) -> str:
        """The URI of a model.tar.gz of this name."""
        content = json.dumps({"name": name, **behaviour}).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            member = tarfile.TarInfo("tiny.json")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        return self.upload(name, packed.getvalue())

    def upload(self, name: str, content: bytes) -> str:
        key = f"{name}/model.tar.gz"
        self.s3.put_object(Bucket=self.cloud.bucket, Key=key, Body=content)
        return f"s3://{self.cloud.bucket}/{key}"

    def model(self, name: str, uri: str, environment: Mapping[str, str] | None = None) -> None:
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.cloud.role,
            PrimaryContainer={
                "Image": "image",
                "ModelDataUrl": uri,
                "Environment": dict(environment or {}),
            },
        )

    def config(self, name: str, weights: Mapping[str, float] | None = None, **more: Any) -> None:
        """A variant for each model of `weights`, named as it is; by default one for `name`."""
        chosen = weights or {name: 1.0}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": model,
                    "ModelName": model,
                    "InitialVariantWeight": weight,
                    **(more or INSTANCES),
                }
                for model, weight in chosen.items()
            ],
        )

    def prepared(self, name: str, **behaviour: Any) -> str:
        """A model and an endpoint config of this name."""
        self.model(name, self.archive(name, **behaviour))
        self.config(name)
        return name

    def serve(self, name: str, config: str | None = None) -> dict[str, Any]:
        """An endpoint that has left Creating."""
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config or name)
        return self.settled(name)

    def settled(self, name: str) -> dict[str, Any]:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            if found["EndpointStatus"] not in ("Creating", "Updating"):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{name} is still {found['EndpointStatus']}")

    def ask(self, name: str, body: str = "hello", **more: Any) -> dict[str, Any]:
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, Body=body.encode(), ContentType="text/plain", **more
        )
        found: dict[str, Any] = json.loads(answer["Body"].read())
        return {**found, "variant": answer["InvokedProductionVariant"], "answer": answer}


@pytest.fixture(scope="module")
def endpoint_client(tiny_cloud: Any) -> EndpointClient:
    return EndpointClient(
        tiny_cloud,
        tiny_cloud.client("sagemaker"),
        tiny_cloud.client("sagemaker-runtime"),
        tiny_cloud.client("s3"),
    )


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_endpoint_serves_its_model_until_it_is_deleted(endpoint_client: EndpointClient) -> None:
    endpoint_client.model("one", endpoint_client.archive("one"), {"GREETING": "good day"})
    endpoint_client.config("one")
    created = endpoint_client.sagemaker.create_endpoint(
        EndpointName="one", EndpointConfigName="one"
    )
    assert created["EndpointArn"].endswith(":endpoint/one")
    assert (
        endpoint_client.sagemaker.describe_endpoint(EndpointName="one")["EndpointStatus"]
        == "Creating"
    )
    code, message = refusal(endpoint_client.sagemaker.delete_endpoint, EndpointName="one")
    assert (code, "in-progress" in message) == ("ValidationException", True)
    endpoint_client.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="one", WaiterConfig=WAIT
    )

    answer = endpoint_client.ask("one", CustomAttributes="trace=7", Accept="application/json")
    assert answer["model"] == "one"
    assert answer["body"] == "hello"
    assert answer["greeting"] == "good day"
    assert answer["variant"] == "one"
    assert answer["answer"]["CustomAttributes"] == "TRACE=7"
    assert answer["answer"]["ContentType"] == "application/json"

    described = endpoint_client.sagemaker.describe_endpoint(EndpointName="one")
    variant = described["ProductionVariants"][0]
    assert variant["DeployedImages"][0]["SpecifiedImage"] == "image"
    assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 1
    assert "FailureReason" not in described

    endpoint_client.sagemaker.delete_endpoint(EndpointName="one")
    endpoint_client.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="one", WaiterConfig=WAIT
    )
    code, message = refusal(endpoint_client.runtime.invoke_endpoint, EndpointName="one", Body=b"")
    assert code == "ValidationError"
    assert message == "Endpoint one of account 123456789012 not found."
    assert not list(
        (endpoint_client.cloud.directory / "work/endpoints").rglob("one/model/tiny.json")
    )


def test_logs_are_in_cloudwatch(endpoint_client: EndpointClient) -> None:
    endpoint_client.serve(endpoint_client.prepared("logging"))
    logs = endpoint_client.cloud.client("logs")
    group = "/aws/sagemaker/Endpoints/logging"
    stream = logs.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
    assert stream.startswith("logging/i-")
    events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert [event["message"] for event in events] == ["serving logging"]


@pytest.mark.parametrize(
    ("body", "status", "side"), [("bad", 400, "client"), ("broken", 500, "server")]
)
def test_errors_of_the_container_are_model_errors(
    endpoint_client: EndpointClient, body: str, status: int, side: str
) -> None:
    if "erring" not in listed(endpoint_client):
        endpoint_client.serve(endpoint_client.prepared("erring"))
    with pytest.raises(endpoint_client.runtime.exceptions.ModelError) as caught:
        endpoint_client.ask("erring", body)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == body
    assert f"Received {side} error ({status}) from primary" in response["Error"]["Message"]
    assert ":log-stream:erring/i-" in response["LogStreamArn"]


def listed(endpoint_client: EndpointClient) -> list[str]:
    pages = endpoint_client.sagemaker.get_paginator("list_endpoints").paginate()
    return [found["EndpointName"] for page in pages for found in page["Endpoints"]]


def test_a_container_that_dies_is_started_again(endpoint_client: EndpointClient) -> None:
    endpoint_client.serve(endpoint_client.prepared("mortal"))
    once = endpoint_client.cloud.client(
        "sagemaker-runtime", Config(retries={"total_max_attempts": 1})
    )
    code, _ = refusal(once.invoke_endpoint, EndpointName="mortal", Body=b"crash")
    assert code == "ServiceUnavailable"
    # An ordinary client tries again by itself.
    patient = endpoint_client.cloud.client(
        "sagemaker-runtime", Config(retries={"total_max_attempts": 10, "mode": "standard"})
    )
    answer = patient.invoke_endpoint(EndpointName="mortal", Body=b"hello")
    assert json.loads(answer["Body"].read())["model"] == "mortal"


def test_several_variants_share_by_weight_and_can_be_asked_for(
    endpoint_client: EndpointClient,
) -> None:
    endpoint_client.model("left", endpoint_client.archive("left"))
    endpoint_client.model("right", endpoint_client.archive("right"))
    endpoint_client.config("both", {"left": 1.0, "right": 0.0})
    endpoint_client.serve("both")
    assert {endpoint_client.ask("both")["variant"] for _ in range(20)} == {"left"}
    assert endpoint_client.ask("both", TargetVariant="right")["model"] == "right"
    code, message = refusal(
        endpoint_client.runtime.invoke_endpoint, EndpointName="both", Body=b"", TargetVariant="up"
    )
    assert code == "ValidationError"
    assert "left, right" in message

    endpoint_client.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="both",
        DesiredWeightsAndCapacities=[
            {"VariantName": "left", "DesiredWeight": 0.0},
            {"VariantName": "right", "DesiredWeight": 1.0, "DesiredInstanceCount": 3},
        ],
    )
    described = endpoint_client.settled("both")
    right = described["ProductionVariants"][1]
    assert (right["CurrentWeight"], right["CurrentInstanceCount"]) == (1.0, 3)
    assert {endpoint_client.ask("both")["variant"] for _ in range(20)} == {"right"}

    code, message = refusal(
        endpoint_client.sagemaker.update_endpoint_weights_and_capacities,
        EndpointName="both",
        DesiredWeightsAndCapacities=[{"VariantName": "up", "DesiredWeight": 1.0}],
    )
    assert code == "ValidationException"
    assert endpoint_client.settled("both")["EndpointStatus"] == "InService"


def test_an_update_replaces_what_serves_without_a_gap(endpoint_client: EndpointClient) -> None:
    endpoint_client.serve(endpoint_client.prepared("before"))
    endpoint_client.prepared("after")
    endpoint_client.sagemaker.update_endpoint(EndpointName="before", EndpointConfigName="after")
    described = endpoint_client.sagemaker.describe_endpoint(EndpointName="before")
    assert described["EndpointStatus"] == "Updating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == "after"
    seen = []
    while (
        endpoint_client.sagemaker.describe_endpoint(EndpointName="before")["EndpointStatus"]
        == "Updating"
    ):
        seen.append(endpoint_client.ask("before")["model"])
    assert seen == sorted(seen, reverse=True)  # "before", then "after"
    assert endpoint_client.ask("before")["model"] == "after"
    described = endpoint_client.settled("before")
    assert described["EndpointConfigName"] == "after"
    assert "PendingDeploymentSummary" not in described


def test_an_update_loses_no_request(endpoint_client: EndpointClient) -> None:
    """Not even of a client that asks once."""
    endpoint_client.serve(endpoint_client.prepared("steady"))
    endpoint_client.prepared("steady-again")
    once = endpoint_client.cloud.client(
        "sagemaker-runtime", Config(retries={"total_max_attempts": 1})
    )
    over = threading.Event()
    answers: list[str] = []

    def ask() -> None:
        while not over.is_set():
            answer = once.invoke_endpoint(EndpointName="steady", Body=b"hello")
            answers.append(json.loads(answer["Body"].read())["model"])

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        endpoint_client.sagemaker.update_endpoint(
            EndpointName="steady", EndpointConfigName="steady-again"
        )
        described = endpoint_client.settled("steady")
        time.sleep(0.3)
        over.set()
        for one in asking:
            one.result()
    assert described["EndpointConfigName"] == "steady-again"
    assert set(answers) == {"steady", "steady-again"}


def test_the_fleet_that_follows_answers_for_the_one_that_stops() -> None:
    nothing = cast(Any, None)
    documents = Documents()
    context = Context(documents, Threads(documents), nothing, nothing, Path(), lambda: 0.0)
    deployments = Deployments(context)
    key = Key("endpoint", "us-east-1", "one")

    class After:
        def invoke(self, invocation: Invocation) -> InvocationResponse:
            return InvocationResponse(200, {}, b"after")

    class Before:
        def invoke(self, invocation: Invocation) -> InvocationResponse:
            """It was replaced while the request was on its way, and is gone now."""
            deployments._fleets[key] = cast(EndpointFleet, After())
            return unavailable("gone")

    class Ill:
        def invoke(self, invocation: Invocation) -> InvocationResponse:
            return unavailable("ill")

    invocation = Invocation("one", "123456789012", "us-east-1", b"", "", "", {})
    for fleet, status in ((Before(), 200), (Ill(), 503)):
        deployments._fleets[key] = cast(EndpointFleet, fleet)
        assert deployments.invoke(invocation).status == status


def test_an_answer_is_streamed_on_request(endpoint_client: EndpointClient) -> None:
    endpoint_client.serve(endpoint_client.prepared("streaming"))
    answer = endpoint_client.runtime.invoke_endpoint_with_response_stream(
        EndpointName="streaming", Body=b"hello", CustomAttributes="a"
    )
    body = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"])
    assert json.loads(body)["model"] == "streaming"
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "streaming"
    assert answer["CustomAttributes"] == "A"
    with pytest.raises(endpoint_client.runtime.exceptions.ModelError):
        endpoint_client.runtime.invoke_endpoint_with_response_stream(
            EndpointName="streaming", Body=b"bad"
        )


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("TargetModel", "a.tar.gz"),
        ("TargetContainerHostname", "a"),
        ("InferenceComponentName", "a"),
        ("EnableExplanations", "`true`"),
        ("SessionId", "NEW_SESSION"),
    ],
)
def test_what_no_endpoint_here_has_is_refused_by_name(
    endpoint_client: EndpointClient, member: str, value: str
) -> None:
    code, message = refusal(
        endpoint_client.runtime.invoke_endpoint, EndpointName="any", Body=b"", **{member: value}
    )
    assert (code, message.split()[0]) == ("ValidationError", member)


def test_a_failed_update_is_rolled_back(endpoint_client: EndpointClient) -> None:
    endpoint_client.serve(endpoint_client.prepared("good"))
    endpoint_client.prepared("ill", exit=5)
    endpoint_client.sagemaker.update_endpoint(EndpointName="good", EndpointConfigName="ill")
    described = endpoint_client.settled("good")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "good"
    assert "rolled back" in described["FailureReason"]
    assert "exit status 5" in described["FailureReason"]
    assert endpoint_client.ask("good")["model"] == "good"
    # The next one that succeeds has no reason any more.
    endpoint_client.prepared("better")
    endpoint_client.sagemaker.update_endpoint(EndpointName="good", EndpointConfigName="better")
    assert "FailureReason" not in endpoint_client.settled("good")


def test_an_update_keeps_the_properties_that_it_is_told_to(endpoint_client: EndpointClient) -> None:
    endpoint_client.serve(endpoint_client.prepared("kept"))
    endpoint_client.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="kept",
        DesiredWeightsAndCapacities=[
            {"VariantName": "kept", "DesiredWeight": 2.0, "DesiredInstanceCount": 4}
        ],
    )
    endpoint_client.settled("kept")
    endpoint_client.config("kept-again", {"kept": 1.0})
    endpoint_client.sagemaker.update_endpoint(
        EndpointName="kept",
        EndpointConfigName="kept-again",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    variant = endpoint_client.settled("kept")["ProductionVariants"][0]
    assert variant["DesiredInstanceCount"] == 4
    assert variant["DesiredWeight"] == 1.0


def test_a_container_that_ends_fails_the_endpoint(endpoint_client: EndpointClient) -> None:
    described = endpoint_client.serve(endpoint_client.prepared("dead", exit=7))
    assert described["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in described["FailureReason"]
    assert "exit status 7" in described["FailureReason"]
    _, message = refusal(
        endpoint_client.sagemaker.update_endpoint, EndpointName="dead", EndpointConfigName="dead"
    )
    assert "Cannot update failed endpoint" in message
    endpoint_client.sagemaker.delete_endpoint(EndpointName="dead")
    endpoint_client.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="dead", WaiterConfig=WAIT
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone", None, "Failed to download model data"),
        ("torn", b"\x1f\x8b no", "Failed to extract"),
    ],
)
def test_model_data_that_is_no_good_fails_the_endpoint(
    endpoint_client: EndpointClient, name: str, content: bytes | None, said: str
) -> None:
    endpoint_client.prepared(name)
    if content is None:
        endpoint_client.s3.delete_object(
            Bucket=endpoint_client.cloud.bucket, Key=f"{name}/model.tar.gz"
        )
    else:
        endpoint_client.upload(name, content)
    described = endpoint_client.serve(name)
    assert described["EndpointStatus"] == "Failed"
    assert said in described["FailureReason"]


def test_an_archive_that_leads_outside_is_refused(endpoint_client: EndpointClient) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("../../../../escaped.json")
        tar.addfile(member, io.BytesIO(b""))
    endpoint_client.model("escape", endpoint_client.upload("escape", packed.getvalue()))
    endpoint_client.config("escape")
    assert endpoint_client.serve("escape")["EndpointStatus"] == "Failed"
    assert not list(endpoint_client.cloud.directory.rglob("escaped.json"))


def test_serverless_is_served_the_same_way(endpoint_client: EndpointClient) -> None:
    endpoint_client.model("less", endpoint_client.archive("less"))
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    endpoint_client.config("less", ServerlessConfig=serverless)
    variant = endpoint_client.serve("less")["ProductionVariants"][0]
    assert variant["CurrentServerlessConfig"] == serverless
    assert "CurrentInstanceCount" not in variant
    assert endpoint_client.ask("less")["model"] == "less"


def test_requests_are_refused_as_aws_refuses_them(endpoint_client: EndpointClient) -> None:
    endpoint_client.serve(endpoint_client.prepared("taken"))
    create = endpoint_client.sagemaker.create_endpoint
    assert (
        "Cannot create already existing endpoint"
        in refusal(create, EndpointName="taken", EndpointConfigName="taken")[1]
    )
    assert (
        "Could not find endpoint configuration"
        in refusal(create, EndpointName="new", EndpointConfigName="none")[1]
    )
    assert (
        "failed to satisfy constraint"
        in refusal(create, EndpointName="under_score", EndpointConfigName="taken")[1]
    )
    for call in (
        endpoint_client.sagemaker.describe_endpoint,
        endpoint_client.sagemaker.delete_endpoint,
    ):
        code, message = refusal(call, EndpointName="none")
        assert code == "ValidationException"
        assert "Could not find endpoint" in message


def test_autoscaling_is_accepted_and_shown(endpoint_client: EndpointClient) -> None:
    endpoint_client.serve(endpoint_client.prepared("scaled"))
    scaling = endpoint_client.cloud.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/scaled/variant/scaled",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)
    scaling.put_scaling_policy(
        **target,
        PolicyName="by-invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 100.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
        },
    )
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert [(t["MinCapacity"], t["MaxCapacity"]) for t in found] == [(1, 3)]


def test_an_approved_package_is_deployed(endpoint_client: EndpointClient) -> None:
    endpoint_client.sagemaker.create_model_package_group(ModelPackageGroupName="registry")
    uri = endpoint_client.archive("packaged")
    package = endpoint_client.sagemaker.create_model_package(
        ModelPackageGroupName="registry",
        InferenceSpecification={
            "Containers": [
                {"Image": "image", "ModelDataUrl": uri, "Environment": {"GREETING": "hi", "A": "1"}}
            ],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        ModelApprovalStatus="Approved",
    )["ModelPackageArn"]
    endpoint_client.sagemaker.create_model(
        ModelName="packaged",
        ExecutionRoleArn=endpoint_client.cloud.role,
        Containers=[{"ModelPackageName": package, "Environment": {"GREETING": "hello"}}],
    )
    endpoint_client.config("packaged")
    endpoint_client.serve("packaged")
    answer = endpoint_client.ask("packaged")
    assert (answer["model"], answer["greeting"]) == ("packaged", "hello")


def test_nothing_is_left_behind(
    endpoint_client: EndpointClient, launch: Callable[..., Any], tmp_path: Path
) -> None:
    cloud = launch(tmp_path / "own", tiny=True)
    own = EndpointClient(
        cloud,
        cloud.client("sagemaker"),
        cloud.client("sagemaker-runtime"),
        cloud.client("s3"),
    )
    own.serve(own.prepared("left-behind"))
    base = str(tmp_path / "own/work")
    assert processes_of(base)
    assert cloud.stop() == 0
    assert not processes_of(base)


def test_endpoints_serve_again_after_a_crash(launch: Callable[..., Any], tmp_path: Path) -> None:
    def client_of(cloud: Any) -> EndpointClient:
        runtime = cloud.client("sagemaker-runtime")
        return EndpointClient(cloud, cloud.client("sagemaker"), runtime, cloud.client("s3"))

    cloud = launch(tmp_path, tiny=True)
    before = client_of(cloud)
    created = before.serve(before.prepared("lasting"))
    index = tmp_path / f"services/s3/{cloud.bucket}/index.json"
    deadline = time.monotonic() + 180
    while not (index.exists() and "lasting/model.tar.gz" in index.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    cloud.process.kill()
    cloud.process.wait()
    deadline = time.monotonic() + 180
    while processes_of(str(tmp_path)):
        assert time.monotonic() < deadline
        time.sleep(0.02)

    after = client_of(launch(tmp_path, tiny=True))
    described = after.settled("lasting")
    assert described["EndpointStatus"] == "InService"
    assert described["CreationTime"] == created["CreationTime"]
    assert after.ask("lasting")["model"] == "lasting"


def processes_of(base: str) -> list[str]:
    """Processes with an argument below `base`, as every guard has one (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(argument.startswith(base.encode()) for argument in command):
            found.append(path.parent.name)
    return found
