"""The two functions of the template: the canary, and the deployment of what was approved."""

import io
import json
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.stack.template import read_template

CLOUD = Path(__file__).with_name("rights_cloud.py")
TINY = Path(__file__).parents[1] / "local/tiny_cloud.py"


def function(name: str) -> types.ModuleType:
    """The code of one, as Lambda imports it."""
    code = read_template()["Resources"][name]["Properties"]["Code"]["ZipFile"]
    module = types.ModuleType(name)
    exec(compile(code, f"{name}.py", "exec"), module.__dict__)
    return module


CANARY, DEPLOYMENT = function("Canary"), function("Deployment")

WORDS = st.text("abc あい ", max_size=40)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4))
def test_the_canary_measures_as_sacrebleu_does(pairs: list[tuple[str, str]]):
    said, wanted = zip(*pairs, strict=True)
    expected = sacrebleu.corpus_chrf(list(said), [list(wanted)]).score
    assert CANARY.chrf(pairs) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "name"), [(1, "up to 20"), (20, "up to 20"), (50, "21 to 50"), (101, "over 100")]
)
def test_the_canary_knows_lengths(words: int, name: str):
    assert CANARY.length("w " * words) == name


class Aws:
    """The three clients of the canary: its set, an endpoint that echoes, and metrics."""

    def __init__(self, lines: list[dict[str, str]]) -> None:
        self.body = "\n".join(json.dumps(line) for line in lines).encode()
        self.metrics: list[dict[str, Any]] = []

    def client(self, service: str) -> "Aws":
        return self

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.body)}

    def invoke_endpoint(self, Body: str, **_: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        text = json.loads(Body)["instances"][0]["data"]
        return {"Body": io.BytesIO(json.dumps({"predictions": [{"target": text}]}).encode())}

    def put_metric_data(self, Namespace: str, MetricData: Any) -> None:  # noqa: N803
        assert Namespace == "longspan/Canary"
        self.metrics += MetricData


def test_the_canary_reports_what_the_alarm_waits_for(monkeypatch: pytest.MonkeyPatch):
    long = " ".join(["word"] * 120)
    aws = Aws([{"source": long, "reference": long}, {"source": "a b", "reference": "x y"}])
    monkeypatch.setattr(CANARY, "boto3", aws)
    for name in ("ENDPOINT", "BUCKET", "KEY"):
        monkeypatch.setenv(name, "longspan")
    values = CANARY.handler({}, None)
    assert values["over 100"] == pytest.approx(100)
    assert values["up to 20"] == 0
    alarm = read_template()["Resources"]["BadLongSentences"]["Properties"]
    [metric] = [m for m in aws.metrics if m["Dimensions"][1]["Value"] == "over 100"]
    assert metric["MetricName"] == alarm["MetricName"]
    assert [d["Name"] for d in metric["Dimensions"]] == [d["Name"] for d in alarm["Dimensions"]]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A local cloud whose endpoints are a few lines; its variables."""
    process = subprocess.Popen(
        [sys.executable, str(TINY), "--directory", str(tmp_path_factory.mktemp("cloud"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


@pytest.fixture
def sagemaker(cloud: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in cloud.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ENDPOINT", "longspan")
    monkeypatch.setenv("ROLE", cloud["LONGSPAN_ROLE_ARN"])
    monkeypatch.setenv("INSTANCE_TYPE", "ml.m5.large")
    monkeypatch.setenv("KEY", "alias/longspan")
    monkeypatch.setenv("ALARMS", "longspan-5xx,longspan-p99")
    monkeypatch.setenv("ASYNCHRONOUS", "")
    return boto3.client("sagemaker")


def package(sagemaker: Any, cloud: dict[str, str], tmp_path: Path, status: str) -> str:
    """A version of the group with a model that tiny servers take."""
    import tarfile

    (tmp_path / "tiny.json").write_text('{"name": "tiny"}')
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "tiny.json", "tiny.json")
    bucket = cloud["LONGSPAN_BUCKET"]
    boto3.client("s3").upload_file(str(tmp_path / "model.tar.gz"), bucket, "model.tar.gz")
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    if not groups:
        sagemaker.create_model_package_group(ModelPackageGroupName="longspan")
    container = {"Image": "image", "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    return str(
        sagemaker.create_model_package(
            ModelPackageGroupName="longspan",
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/plain"],
                "SupportedResponseMIMETypes": ["text/plain"],
            },
        )["ModelPackageArn"]
    )


def approved(arn: str, request: str) -> str | None:
    """What the function does when EventBridge tells it."""
    context = types.SimpleNamespace(aws_request_id=request)
    return DEPLOYMENT.handler({"detail": {"ModelPackageArn": arn}}, context)


def test_approval_creates_the_endpoint_and_then_updates_it_blue_green(
    sagemaker: Any, cloud: dict[str, str], tmp_path: Path
):
    first = package(sagemaker, cloud, tmp_path, "PendingManualApproval")
    assert approved(first, "00000000-early") is None
    sagemaker.update_model_package(ModelPackageArn=first, ModelApprovalStatus="Approved")
    assert approved(first, "11111111-first") == "longspan-v1-11111111"
    in_service(sagemaker)
    second = package(sagemaker, cloud, tmp_path, "PendingManualApproval")
    sagemaker.update_model_package(ModelPackageArn=second, ModelApprovalStatus="Approved")
    assert approved(second, "22222222-second") == "longspan-v2-22222222"
    in_service(sagemaker)
    found = sagemaker.describe_endpoint(EndpointName="longspan")
    assert found["EndpointConfigName"] == "longspan-v2-22222222"
    deployment = found["LastDeploymentConfig"]
    alarms = deployment["AutoRollbackConfiguration"]["Alarms"]
    assert [alarm["AlarmName"] for alarm in alarms] == ["longspan-5xx", "longspan-p99"]


def test_what_the_pipeline_registers_as_approved_it_deploys_itself(
    sagemaker: Any, cloud: dict[str, str], tmp_path: Path
):
    assert approved(package(sagemaker, cloud, tmp_path, "Approved"), "33333333") is None


def test_one_of_several_machines_takes_traffic_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALARMS", "a")
    alone = DEPLOYMENT.blue_green(1)["BlueGreenUpdatePolicy"]
    several = DEPLOYMENT.blue_green(3)["BlueGreenUpdatePolicy"]
    assert alone["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert several["TrafficRoutingConfiguration"]["Type"] == "CANARY"
    assert several["TrafficRoutingConfiguration"]["CanarySize"]["Value"] == 1


def in_service(sagemaker: Any) -> None:
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="longspan", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
