"""`--aws` under IAM enforcement: what a run asks for, and what is said when something is not there.

A local cloud stands for AWS: boto3's own chain of settings leads to it, and it checks every
request's signature and rights as AWS does. The execution role may do nothing, so no job runs.
"""

import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from longspan.pipelines.command import main
from tests.pipelines.iam_user import IamUser, refused

START = (
    "s3:ListBucket",
    "s3:GetObject",
    "s3:PutObject",
    "sagemaker:CreatePipeline",
    "iam:PassRole",
    "sagemaker:ListPipelineExecutions",
    "sagemaker:StartPipelineExecution",
)
TAKE_UP = (
    "sagemaker:UpdatePipeline",
    "sagemaker:DescribePipelineDefinitionForExecution",
    "sagemaker:RetryPipelineExecution",
)
LOOK = (
    "sagemaker:ListPipelines",
    "sagemaker:ListPipelineExecutions",
    "sagemaker:DescribePipelineExecution",
    "sagemaker:ListPipelineExecutionSteps",
)
WEAK = "weak"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/elsewhere/7"
RUN = ("run", "--aws", "--no-wait")


@pytest.fixture(scope="module")
def cloud(launch_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    cloud = launch_module(tmp_path_factory.mktemp("aws"), "--iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}
    statement = [{**trust, "Action": "sts:AssumeRole"}]
    cloud.client("iam").create_role(
        RoleName=WEAK,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
    )
    return cloud


@pytest.fixture(scope="module")
def user(cloud: Any) -> IamUser:
    return IamUser(cloud)


class Project:
    """A config of a name that no other test has, in the folder where commands are typed."""

    def __init__(self, folder: Path, bucket: str) -> None:
        self.folder = folder
        self.name = f"p-{uuid.uuid4().hex[:8]}"
        (folder / "pairs.tsv").write_text("a b\tb a\n" * 20)
        self._bucket = bucket
        self.configure()

    def configure(self, **aws: Any) -> None:
        """Write the config with these values in its section aws."""
        settings = {"role": WEAK, "bucket": self._bucket, "image": "account.ecr/longspan:1", **aws}
        config = {"name": self.name, "data": {"pairs": "pairs.tsv"}, "aws": settings}
        (self.folder / "longspan.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture
def project(cloud: Any, user: IamUser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name, value in user.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    user.may("*")
    return Project(tmp_path, cloud.bucket)


def ended(capsys: pytest.CaptureFixture[str]) -> str:
    """What `status` shows when the execution has ended."""
    while True:
        capsys.readouterr()
        assert main(["status", "--aws"]) == 0
        shown = capsys.readouterr().out
        if "Executing" not in shown:
            return shown
        time.sleep(0.2)


@pytest.mark.parametrize("missing", START)
def test_without_a_right_run_names_it(
    project: Project, user: IamUser, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    user.may(*(action for action in START if action != missing))
    who = "the caller" if missing in ("s3:ListBucket", "s3:GetObject") else user.name
    refused(RUN, who, missing, capsys)


def test_a_role_without_a_right_is_told_and_the_run_is_taken_up(
    project: Project, user: IamUser, capsys: pytest.CaptureFixture[str]
) -> None:
    user.may(*START)
    assert main(RUN) == 0
    user.may(*LOOK)
    shown = "".join(ended(capsys).split())  # the table breaks long lines
    assert "Failed" in shown
    assert f"assumed-role/{WEAK}/" in shown
    assert "isnotauthorizedtoperform:sagemaker:CreateProcessingJob" in shown
    for missing in TAKE_UP:
        user.may(*START, *(action for action in TAKE_UP if action != missing))
        refused(RUN, user.name, missing, capsys)
    user.may(*START, *TAKE_UP)
    assert main(RUN) == 0
    assert "resumed where it ended" in capsys.readouterr().out


@pytest.mark.parametrize("missing", LOOK)
def test_without_a_right_status_names_it(
    project: Project, user: IamUser, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(RUN) == 0
    user.may(*(action for action in LOOK if action != missing))
    refused(["status", "--aws"], user.name, missing, capsys)


@pytest.mark.parametrize(
    ("aws", "message"),
    [
        ({"bucket": "nobody-has-it"}, "no such bucket or object; check aws.bucket"),
        ({"bucket": "far-away"}, "in us-east-1, got one in eu-west-1; set aws.region to eu-west-1"),
        ({"role": "nobody"}, "role/nobody"),
        ({"role": None, "image": None}, "expected aws.role, aws.image in the config"),
    ],
)
def test_what_is_not_there_is_one_clear_line(
    cloud: Any,
    project: Project,
    aws: dict[str, Any],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if aws.get("bucket") == "far-away":
        cloud.client("s3").create_bucket(
            Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
    project.configure(**aws)
    assert main(RUN) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("command", "missing"),
    [(("delete", "--yes"), "aws.bucket"), (("deploy", PACKAGE, "--approve"), "aws.role")],
)
def test_what_a_command_needs_of_the_config_is_named(
    project: Project, command: tuple[str, ...], missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project.configure(**{missing.removeprefix("aws."): None})
    assert main([*command, "--aws"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"longspan: error: expected {missing} in the config")


def test_commands_without_a_config_look_into_its_region(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.configure(region="eu-west-1")
    assert main(["status", "--aws"]) == 1
    assert "got none; `longspan run` starts one" in capsys.readouterr().err
    assert main(["endpoints", "--aws"]) == 0
    assert main(["deploy", "--aws"]) == 1
    assert "got none; `longspan run` registers one" in capsys.readouterr().err


def test_deploying_a_package_by_its_arn_looks_into_no_group(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", PACKAGE, "--aws"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"deploying {PACKAGE}" in line
    assert "does not exist" in line
