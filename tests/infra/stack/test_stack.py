"""The stack deployed on moto, as far as moto knows its resources, by the command's own module."""

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from longspan.infra.errors import StackError
from longspan.infra.image.__main__ import main as image_main
from longspan.infra.stack.__main__ import main
from longspan.infra.stack.stack import Stack
from longspan.infra.stack.template import body

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")

REGION = "eu-west-1"


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("cloudformation", region_name=REGION)


def test_what_is_proposed_is_deployed_and_then_there_is_nothing_to_do(cloudformation: Any):
    stack = Stack(cloudformation, "longspan")
    assert stack.status() is None
    proposed = stack.propose({"Project": "mine"})
    assert proposed.kind == "CREATE"
    assert {change.action for change in proposed.changes} == {"Add"}
    stack.execute(proposed)
    assert stack.status() == "CREATE_COMPLETE"
    s3 = boto3.client("s3", region_name=REGION)
    [bucket] = s3.list_buckets()["Buckets"]
    assert bucket["Name"] == f"mine-123456789012-{REGION}"
    [rule] = s3.get_bucket_encryption(Bucket=bucket["Name"])["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert not stack.propose({}).changes


def test_what_is_withdrawn_leaves_no_stack(cloudformation: Any):
    stack = Stack(cloudformation, "longspan")
    stack.withdraw(stack.propose({}))
    listed = cloudformation.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])
    assert listed["StackSummaries"] == []
    assert boto3.client("s3", region_name=REGION).list_buckets()["Buckets"] == []


def test_destroying_says_what_it_keeps(cloudformation: Any):
    stack = Stack(cloudformation, "longspan")
    stack.execute(stack.propose({}))
    kept = stack.destroy()
    assert f"AWS::S3::Bucket longspan-123456789012-{REGION}" in kept
    assert "AWS::ECR::Repository longspan" in kept
    assert not any("Role" in one for one in kept)
    assert stack.status() in (None, "DELETE_COMPLETE")


def test_an_unknown_parameter_is_refused_before_anything_is_made(cloudformation: Any):
    with pytest.raises(StackError, match="got Nonsense; the template has"):
        Stack(cloudformation, "longspan").propose({"Nonsense": "1"})


@pytest.mark.parametrize("kind", ["realtime", "asynchronous"])
def test_the_outputs_are_what_the_config_asks_for(cloudformation: Any, kind: str):
    """moto keeps no outputs of change sets."""
    cloudformation.create_stack(
        StackName="longspan",
        TemplateBody=body(),
        Parameters=[
            {"ParameterKey": "EndpointMode", "ParameterValue": kind},
            {"ParameterKey": "EndpointExists", "ParameterValue": "yes"},
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    [found] = cloudformation.describe_stacks(StackName="longspan")["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    assert outputs["BucketName"] == f"longspan-123456789012-{REGION}"
    assert outputs["ExecutionRole"] == "arn:aws:iam::123456789012:role/longspan-execution"
    function = boto3.client("lambda", region_name=REGION).get_function_configuration(
        FunctionName="longspan-deployment"
    )
    place = function["Environment"]["Variables"]["ASYNCHRONOUS"]
    assert place.startswith("s3://") if kind == "asynchronous" else place == ""


def test_an_isolated_network_gets_its_ways_and_models_are_deployed_into_it(cloudformation: Any):
    ec2 = boto3.client("ec2", region_name=REGION)
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    stack = Stack(cloudformation, "longspan")
    given = {
        "VpcId": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
        "SubnetIds": ",".join(subnets),
        "RouteTableIds": ec2.describe_route_tables()["RouteTables"][0]["RouteTableId"],
    }
    stack.execute(stack.propose(given))
    ways = {way["ServiceName"]: way for way in ec2.describe_vpc_endpoints()["VpcEndpoints"]}
    assert len(ways) == 9
    assert f"longspan-123456789012-{REGION}" in ways[f"com.amazonaws.{REGION}.s3"]["PolicyDocument"]
    assert set(ways[f"com.amazonaws.{REGION}.ecr.dkr"]["SubnetIds"]) == set(subnets)
    function = boto3.client("lambda", region_name=REGION).get_function_configuration(
        FunctionName="longspan-deployment"
    )
    variables = function["Environment"]["Variables"]
    assert variables["SUBNETS"] == ",".join(subnets)
    assert variables["SECURITY_GROUP"].startswith("sg-")


def test_approval_leads_to_the_deployment_and_the_timer_to_the_canary(cloudformation: Any):
    stack = Stack(cloudformation, "longspan")
    stack.execute(stack.propose({}))
    events = boto3.client("events", region_name=REGION)
    rules = {rule["Name"]: rule for rule in events.list_rules()["Rules"]}
    pattern = json.loads(rules["longspan-approval"]["EventPattern"])
    assert pattern["detail"]["ModelApprovalStatus"] == ["Approved"]
    assert pattern["detail"]["ModelPackageGroupName"] == ["longspan"]
    [target] = events.list_targets_by_rule(Rule="longspan-approval")["Targets"]
    assert target["Arn"].endswith(":function:longspan-deployment")
    assert target["DeadLetterConfig"]["Arn"].endswith(":longspan-lost-approvals")
    # Before there is an endpoint, nobody asks it.
    assert rules["longspan-canary"]["State"] == "DISABLED"


def test_the_command_shows_deploys_and_destroys(
    cloudformation: Any, capsys: pytest.CaptureFixture[str]
):
    assert main(["diff", "--region", REGION]) == 0
    assert "Add  AWS::S3::Bucket" in capsys.readouterr().out
    assert main(["deploy", "--region", REGION, "--yes", "--parameter", "MonthlyBudget=5"]) == 0
    capsys.readouterr()
    assert main(["diff", "--region", REGION]) == 0
    assert capsys.readouterr().out == "stack longspan: no changes\n"
    assert main(["destroy", "--region", REGION, "--yes"]) == 0
    assert "kept: AWS::KMS::Key" in capsys.readouterr().out


def test_the_command_says_in_a_line_what_is_wrong(
    cloudformation: Any, capsys: pytest.CaptureFixture[str]
):
    assert main(["deploy", "--region", REGION, "--parameter", "Project"]) == 1
    assert capsys.readouterr().err == (
        "longspan: error: --parameter: expected NAME=VALUE, got Project\n"
    )
    assert main(["destroy", "--region", REGION]) == 1
    assert "expected a stack longspan" in capsys.readouterr().err
    # Without a terminal nobody can be asked, and nothing is done.
    assert main(["deploy", "--region", REGION]) == 1
    assert "add --yes" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["stack", "image"])
def test_what_is_missing_of_awss_configuration_is_said_in_a_line(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    run, action = {"stack": (main, "diff"), "image": (image_main, "push")}[command]
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    assert run([action]) == 1
    assert capsys.readouterr().err == (
        "longspan: error: expected a region, got none: give --region, or set AWS_DEFAULT_REGION\n"
    )
    assert run([action, "--region", "no where"]) == 1
    assert "no where" in capsys.readouterr().err
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert run([action]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_wrong_parameter_is_told_before_anybody_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert main(["deploy", "--parameter", "Projekt=x"]) == 1
    assert "expected parameters of the template, got Projekt" in capsys.readouterr().err
