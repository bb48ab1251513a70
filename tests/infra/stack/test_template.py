"""The template: what cfn-lint says, what it must hold, and that it names no resource too many."""

import re
from typing import Any

import pytest
from cfnlint import ManualArgs, lint

from longspan.infra.stack.errors import StackError
from longspan.infra.stack.template import TEMPLATE, body, parameters, read_template

# The most that CreateChangeSet takes in a request; more would have to lie in S3.
_LARGEST_BODY = 51_200

# Actions for which AWS knows no resource, or none that can be named before it is there.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
_WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListModelPackages",
    "sagemaker:ListPipelines",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read_template()


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        name: one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == kind
    }


@pytest.mark.filterwarnings("ignore")
def test_cfn_lint_has_nothing_to_say():
    found = lint(TEMPLATE.read_text(encoding="utf-8"), config=ManualArgs(regions=["us-east-1"]))
    assert [str(match) for match in found] == []


def test_it_fits_into_a_request():
    assert len(body().encode()) <= _LARGEST_BODY


def test_every_parameter_says_what_it_is_and_has_a_default(template: dict[str, Any]):
    grouped = [
        name
        for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        for name in group["Parameters"]
    ]
    assert sorted(grouped) == sorted(template["Parameters"])
    for parameter in template["Parameters"].values():
        assert parameter["Description"]
        assert "Default" in parameter


def statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Of all identity policies."""
    documents = [p["PolicyDocument"] for p in of_type(template, "AWS::IAM::RolePolicy").values()]
    for role in of_type(template, "AWS::IAM::Role").values():
        documents += [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    return [one for document in documents for one in document["Statement"]]


def test_no_action_is_a_wildcard_and_no_resource_where_aws_allows_better(template: dict[str, Any]):
    found = statements(template)
    assert len(found) > 30
    for statement in found:
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        assert not [action for action in actions if "*" in action]
        if statement["Resource"] == "*":
            assert set(actions) <= _WITHOUT_RESOURCE, actions
        else:
            assert not set(actions) & _WITHOUT_RESOURCE, actions


def test_the_bucket_is_private_encrypted_versioned_and_for_tls_alone(template: dict[str, Any]):
    [bucket] = of_type(template, "AWS::S3::Bucket").values()
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules["checkpoints"]["ExpirationInDays"] == {"Ref": "CheckpointDays"}
    [policy] = of_type(template, "AWS::S3::BucketPolicy").values()
    [deny] = policy["PolicyDocument"]["Statement"]
    assert deny["Effect"] == "Deny"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_holds_data_is_kept_when_the_stack_goes(template: dict[str, Any]):
    for name in ("Bucket", "Key", "Repository", "ModelGroup"):
        assert template["Resources"][name]["DeletionPolicy"] == "Retain"


def test_there_is_an_alarm_for_errors_latency_and_quality(template: dict[str, Any]):
    text = TEMPLATE.read_text(encoding="utf-8")
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert {"ServerErrors", "SlowAnswers", "SlowModel", "BadLongSentences"} <= set(alarms)
    for alarm in alarms.values():
        assert alarm["AlarmActions"]
    # The canary reports what the alarm waits for.
    assert "Length, Value: over 100" in text
    assert '"over 100"' in text


def test_names_of_roles_and_policies_fit_the_longest_project(template: dict[str, Any]):
    pattern = template["Parameters"]["Project"]["AllowedPattern"]
    longest = "a" * 31
    assert re.fullmatch(pattern, longest)
    for role in of_type(template, "AWS::IAM::Role").values():
        assert len(role["RoleName"]["Fn::Sub"].replace("${Project}", longest)) <= 64


def test_a_parameter_that_the_template_does_not_take_is_named(template: dict[str, Any]):
    with pytest.raises(StackError, match="Bugdet: not a parameter of the template; known: Project"):
        parameters({"Bugdet": "5"}, template)
