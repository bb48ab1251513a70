"""commands/deploy.py, endpoints.py and delete.py on a local cloud whose model is a tiny server."""

import contextlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from longspan.pipelines.command import main
from longspan.pipelines.config import template

GROUP = "longspan-sample"


def archive(name: str, **behaviour: Any) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        body = json.dumps({"name": name, **behaviour}).encode()
        member = tarfile.TarInfo("tiny.json")
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
    return packed.getvalue()


class Registry:
    """Registers models of the tiny server; their versions count from 1."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.sagemaker = cloud.client("sagemaker")
        with contextlib.suppress(ClientError):  # it is there
            self.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)

    def register(self, name: str, approval: str = "Approved", **behaviour: Any) -> None:
        key = f"longspan/{GROUP}/{name}.tar.gz"
        body = archive(name, **behaviour)
        self.cloud.client("s3").put_object(Bucket=self.cloud.bucket, Key=key, Body=body)
        url = f"s3://{self.cloud.bucket}/{key}"
        self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": url}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )

    def serving(self, endpoint: str = GROUP) -> str:
        answer = self.cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, Body=b"hello"
        )
        return str(json.loads(answer["Body"].read())["model"])


@pytest.fixture(scope="module")
def registry(tiny_cloud: Any) -> Registry:
    registry = Registry(tiny_cloud)
    registry.register("first")
    registry.register("second", approval="PendingManualApproval")
    registry.register("broken", approval="PendingManualApproval", exit=3)
    return registry


@pytest.fixture(autouse=True)
def here(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the cloud by its variables, and no config but the sample's."""
    for name, value in registry.cloud.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def test_the_samples_config_is_the_default() -> None:
    assert f"name: {GROUP}" in template()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deploy", "--rollback", "2"], "expected --rollback without PACKAGE"),
        (["deploy", "--rollback", "--endpoint", "nobody"], "nobody"),
        (["deploy", "17"], "expected version 17"),
        (["deploy", "--endpoint", "a" * 51], "expected a name of at most 50 characters"),
    ],
)
def test_what_cannot_be_deployed_is_one_clear_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


NEIGHBOUR = f"{GROUP}-other-abcdefghijkl"


def neighbour(registry: Registry) -> None:
    """A model and an endpoint config of a project whose name begins with this one's."""
    registry.sagemaker.create_model(
        ModelName=NEIGHBOUR,
        ExecutionRoleArn=registry.cloud.role,
        PrimaryContainer={"Image": "image"},
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": NEIGHBOUR,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    registry.sagemaker.create_endpoint_config(
        EndpointConfigName=NEIGHBOUR, ProductionVariants=[variant]
    )


def test_packages_are_deployed_replaced_and_taken_back(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy"]) == 0  # the newest that is approved
    assert registry.serving() == "first"
    assert "InService" in capsys.readouterr().out
    neighbour(registry)  # made between two of ours

    assert main(["deploy", "2"]) == 1
    assert "expected an approved model package" in capsys.readouterr().err
    config = yaml.safe_load(template())
    config["endpoint"]["rollback_alarms"] = ["longspan-5xx"]
    Path("longspan.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert main(["deploy", "2", "--approve"]) == 0
    assert registry.serving() == "second"
    watched = registry.sagemaker.describe_endpoint(EndpointName=GROUP)["LastDeploymentConfig"]
    assert watched["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "longspan-5xx"}]}
    assert "replaces longspan-sample-v1-" in capsys.readouterr().out

    assert main(["deploy", "3", "--approve"]) == 1  # does not start
    assert "rolled back" in capsys.readouterr().err
    assert registry.serving() == "second"

    assert main(["deploy", "--rollback"]) == 0
    assert registry.serving() == "first"

    capsys.readouterr()
    assert main(["endpoints"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(GROUP)
    assert "InService" in line

    assert main(["delete"]) == 1  # nobody is there to ask
    shown = capsys.readouterr()
    assert "nothing was deleted" in shown.out
    assert f"endpoint             {GROUP}" in shown.out
    assert registry.serving() == "first"

    assert main(["delete", "--yes"]) == 0
    assert main(["endpoints"]) == 0
    assert "no endpoints" in capsys.readouterr().out
    assert main(["delete", "--yes"]) == 0
    assert "nothing found that" in capsys.readouterr().out
    names = [m["ModelName"] for m in registry.sagemaker.list_models()["Models"]]
    assert names == [NEIGHBOUR]
    left = registry.sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert [found["EndpointConfigName"] for found in left] == [NEIGHBOUR]
    listed = registry.cloud.client("s3").list_objects_v2(
        Bucket=registry.cloud.bucket, Prefix=f"longspan/{GROUP}/"
    )
    assert listed["KeyCount"] == 0
