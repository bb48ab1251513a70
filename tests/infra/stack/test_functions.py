"""The template's two Lambda functions: the canary and the deployment."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
import sacrebleu
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from longspan.infra.stack.template import read_template
from longspan.pipelines.config.instances import has_local_disk
from longspan.training.lengths import SCRIPTS, count_words
from tests.infra.stack.functions import function

CLOUD = Path(__file__).with_name("rights_cloud.py")
TINY = Path(__file__).parents[1] / "local/tiny_cloud.py"


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


@given(st.text(st.one_of(st.characters(), st.sampled_from("先を読むアครูอ່ານអានဖတ်དགེᩈꪀꆈ፡ a1,。"))))
def test_the_canary_counts_words_as_everything_else_does(text: str):
    assert CANARY.count_words(text) == count_words(text)


def test_the_canary_has_the_same_scripts():
    assert list(CANARY.SCRIPTS) == [(script.characters, script.ranges) for script in SCRIPTS]


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
    for name in ("BadLongSentences", "BadShortSentences"):
        alarm = read_template()["Resources"][name]["Properties"]
        [*_, length] = wanted = alarm["Dimensions"]
        [metric] = [m for m in aws.metrics if m["Dimensions"][-1] == length]
        assert metric["MetricName"] == alarm["MetricName"]
        assert [d["Name"] for d in metric["Dimensions"]] == [d["Name"] for d in wanted]


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
    for name in ("ASYNCHRONOUS", "SUBNETS", "SECURITY_GROUP"):
        monkeypatch.setenv(name, "")
    cloudwatch = boto3.client("cloudwatch")
    for alarm in ("longspan-5xx", "longspan-p99"):
        cloudwatch.put_metric_alarm(
            AlarmName=alarm,
            Namespace="AWS/SageMaker",
            MetricName="ModelLatency",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
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


def approved(arn: str) -> str | None:
    """What the function does when EventBridge tells it; the name of model and endpoint config."""
    return DEPLOYMENT.handler({"detail": {"ModelPackageArn": arn}}, None)


def served(sagemaker: Any) -> dict[str, Any]:
    """The endpoint, as soon as it is in service."""
    in_service(sagemaker)
    return sagemaker.describe_endpoint(EndpointName="longspan")


def watched(endpoint: dict[str, Any]) -> list[str]:
    alarms = endpoint["LastDeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    return [alarm["AlarmName"] for alarm in alarms]


@pytest.fixture
def endpoint(sagemaker: Any, cloud: dict[str, str], tmp_path: Path) -> None:
    """One is in service, whichever tests came before."""
    if not sagemaker.list_endpoints(NameContains="longspan")["Endpoints"]:
        assert approved(package(sagemaker, cloud, tmp_path, "Approved"))
    in_service(sagemaker)


def test_approval_creates_the_endpoint_and_then_updates_it_blue_green(
    sagemaker: Any, cloud: dict[str, str], tmp_path: Path
):
    first = package(sagemaker, cloud, tmp_path, "PendingManualApproval")
    assert approved(first) is None
    sagemaker.update_model_package(ModelPackageArn=first, ModelApprovalStatus="Approved")
    name = approved(first)
    assert name is not None
    assert name.startswith("longspan-v1-")
    assert served(sagemaker)["EndpointConfigName"] == name
    second = package(sagemaker, cloud, tmp_path, "PendingManualApproval")
    sagemaker.update_model_package(ModelPackageArn=second, ModelApprovalStatus="Approved")
    name = approved(second)
    found = served(sagemaker)
    assert found["EndpointConfigName"] == name
    assert watched(found) == ["longspan-5xx", "longspan-p99"]
    # The same approval once more, as EventBridge may tell it.
    assert approved(second) is None


def test_what_somebody_deploys_is_not_deployed_again(
    sagemaker: Any, cloud: dict[str, str], tmp_path: Path, endpoint: None
):
    """`longspan deploy --approve` approves and updates the endpoint itself."""
    arn = package(sagemaker, cloud, tmp_path, "Approved")
    version = arn.rpartition("/")[2]
    name = f"longspan-v{version}-by-hand"
    container = {"ModelPackageName": arn}
    role = cloud["LONGSPAN_ROLE_ARN"]
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, Containers=[container])
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1}
    variant["InstanceType"] = "ml.m5.large"
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.update_endpoint(EndpointName="longspan", EndpointConfigName=name)
    assert approved(arn) is None
    other = package(sagemaker, cloud, tmp_path, "Approved")
    with pytest.raises(RuntimeError, match="longspan is Updating: approve again later"):
        approved(other)
    assert served(sagemaker)["EndpointConfigName"] == name
    assert approved(arn) is None
    # Lambda's second try finds nothing of the first one in its way.
    assert approved(other) == served(sagemaker)["EndpointConfigName"]


def test_an_alarm_that_rings_already_does_not_bring_the_old_fleet_back(
    sagemaker: Any, cloud: dict[str, str], tmp_path: Path, endpoint: None
):
    boto3.client("cloudwatch").set_alarm_state(
        AlarmName="longspan-5xx", StateValue="ALARM", StateReason="the old model"
    )
    assert approved(package(sagemaker, cloud, tmp_path, "Approved"))
    assert watched(served(sagemaker)) == ["longspan-p99"]
    boto3.client("cloudwatch").set_alarm_state(
        AlarmName="longspan-p99", StateValue="ALARM", StateReason="the old model"
    )
    assert approved(package(sagemaker, cloud, tmp_path, "Approved"))
    assert "AutoRollbackConfiguration" not in served(sagemaker)["LastDeploymentConfig"]


@pytest.fixture
def answers() -> Iterator[Stubber]:
    """What SageMaker says, which is asked nothing else: of any number of endpoints."""
    client = boto3.client(
        "sagemaker", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(client) as stubber:
        yield stubber


def test_the_endpoint_is_found_by_its_name_alone(answers: Stubber):
    there = {"EndpointName": "longspan", "EndpointStatus": "InService"}
    times = dict.fromkeys(("CreationTime", "LastModifiedTime"), datetime(2026, 11, 26, tzinfo=UTC))
    asked = {"EndpointName": "longspan"}
    answers.add_response("describe_endpoint", {**there, **times, "EndpointArn": "a" * 20}, asked)
    found = DEPLOYMENT.described(answers.client, "longspan")
    assert found["EndpointStatus"] == "InService"
    answers.add_client_error("describe_endpoint", "ValidationException", expected_params=asked)
    assert DEPLOYMENT.described(answers.client, "longspan") is None
    answers.add_client_error("describe_endpoint", "AccessDeniedException", expected_params=asked)
    with pytest.raises(ClientError, match="AccessDenied"):
        DEPLOYMENT.described(answers.client, "longspan")
    answers.assert_no_pending_responses()


def test_the_network_of_the_stack_is_the_models(
    sagemaker: Any, cloud: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SUBNETS", "subnet-1,subnet-2")
    monkeypatch.setenv("SECURITY_GROUP", "sg-1")
    name = approved(package(sagemaker, cloud, tmp_path, "Approved"))
    model = sagemaker.describe_model(ModelName=name)
    assert model["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert model["EnableNetworkIsolation"] is True
    in_service(sagemaker)


def machines() -> list[str]:
    shape = botocore.session.Session().get_service_model("sagemaker")
    return list(shape.shape_for("ProductionVariantInstanceType").enum)


def test_a_key_is_named_for_disks_that_can_have_one(monkeypatch: pytest.MonkeyPatch):
    for name, value in (("KEY", "k"), ("ASYNCHRONOUS", "")):
        monkeypatch.setenv(name, value)
    for machine in machines():
        monkeypatch.setenv("INSTANCE_TYPE", machine)
        assert ("KmsKeyId" not in DEPLOYMENT.config("a")) is has_local_disk(machine), machine


def test_one_of_several_machines_takes_traffic_first():
    alone = DEPLOYMENT.blue_green(1, ["a"])["BlueGreenUpdatePolicy"]
    several = DEPLOYMENT.blue_green(3, ["a"])["BlueGreenUpdatePolicy"]
    assert alone["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert several["TrafficRoutingConfiguration"]["Type"] == "CANARY"
    assert several["TrafficRoutingConfiguration"]["CanarySize"]["Value"] == 1


def in_service(sagemaker: Any) -> None:
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="longspan", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
