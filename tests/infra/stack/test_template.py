"""The template: what cfn-lint says, what it must hold, and that it names no resource too many."""

import ast
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest
from cfnlint import ManualArgs, lint

from longspan.infra.errors import StackError
from longspan.infra.stack.template import TEMPLATE, body, parameters, read_template
from tests.infra.local.moto.events import matches_event

# The most that CreateChangeSet takes in a request; more would have to lie in S3.
_LARGEST_BODY = 51_200
_ROOM = 400  # for the next change

# A Lambda function's code in a template, in characters.
_LONGEST_CODE = 4_096

# What AWS knows of actions and their resources, as cfn-lint brings it along:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
_AUTHORIZATION = resources.files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json")

# A metric is none of its resources, which are of another kind: its namespace is a condition.
_NO_RESOURCE_OF_OURS = {"cloudwatch:PutMetricData"}


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
    config = ManualArgs(
        regions=["us-east-1", "eu-central-1", "ap-northeast-1"], include_checks=["I"]
    )
    found = lint(TEMPLATE.read_text(encoding="utf-8"), config=config)
    assert [str(match) for match in found] == []


def test_it_fits_into_a_request():
    assert len(body().encode()) <= _LARGEST_BODY - _ROOM


def test_what_is_sent_is_the_same_code(template: dict[str, Any]):
    sent = of_type(json.loads(body()), "AWS::Lambda::Function")
    written = of_type(template, "AWS::Lambda::Function")
    assert sent.keys() == written.keys()
    for name, function in written.items():
        one, other = function["Code"]["ZipFile"], sent[name]["Code"]["ZipFile"]
        assert undocumented(one) == undocumented(other)
        assert other.isascii()  # CloudFormation replaces other characters


def undocumented(code: str) -> str:
    """The code's syntax tree with all strings that stand alone left out."""
    text = ast.dump(ast.parse(code), indent=1)
    return re.sub(r"\n *Expr\(\n *value=Constant\(value=.*\)\),", "", text)


def test_the_code_of_functions_fits_into_a_template(template: dict[str, Any]):
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert len(function["Code"]["ZipFile"]) <= _LONGEST_CODE


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


def listed(value: Any) -> list[Any]:
    """IAM takes one thing where it takes a list of them."""
    return value if isinstance(value, list) else [value]


def arn(template: dict[str, Any], resource: Any) -> str:
    """An ARN of the template's, of the service of the resource that it is about."""
    if "Fn::GetAtt" in resource:
        kind = template["Resources"][resource["Fn::GetAtt"][0]]["Type"]
        return _ARNS[kind]
    text: str = resource["Fn::Sub"]
    for name, one in template["Resources"].items():
        text = text.replace(f"${{{name}.Arn}}", _ARNS.get(one["Type"], ""))
    return re.sub(r"\$\{[^}]+\}", "x", text)


_ARNS = {
    "AWS::ECR::Repository": "arn:x:ecr:x:x:repository/x",
    "AWS::IAM::Role": "arn:x:iam::x:role/x",
    "AWS::KMS::Key": "arn:x:kms:x:x:key/x",
    "AWS::Logs::LogGroup": "arn:x:logs:x:x:log-group:x",
    "AWS::S3::Bucket": "arn:x:s3:::x",
}


_ACCOUNT = {"Ref": "AWS::AccountId"}


def formats(action: str, known: Mapping[str, Any]) -> list[str]:
    """Regular expressions of the ARNs that an action may be about; none for an action about all."""
    service, _, name = action.partition(":")
    kinds = known[service]["Actions"][name.lower()].get("Resources", [])
    return [
        re.sub(r"\$\{\w+\}", "[^:]*", one)
        for kind in listed(kinds)
        for one in known[service]["Resources"][kind.lower()]["ARNFormats"]
    ]


def test_no_action_is_a_wildcard_and_no_resource_where_aws_allows_better(template: dict[str, Any]):
    known = json.loads(_AUTHORIZATION.read_text(encoding="utf-8"))
    found = statements(template)
    assert len(found) > 30
    for statement in found:
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            assert "*" not in action
            possible = [] if action in _NO_RESOURCE_OF_OURS else formats(action, known)
            if statement["Resource"] == "*":
                assert possible == [], f"{action} can be limited"
            else:
                named = [arn(template, one) for one in listed(statement["Resource"])]
                assert any(re.fullmatch(p, n) for p in possible for n in named), (action, named)


def test_every_named_resource_is_one_that_an_action_of_its_statement_is_about(
    template: dict[str, Any],
):
    known = json.loads(_AUTHORIZATION.read_text(encoding="utf-8"))
    for statement in statements(template):
        if statement["Resource"] != "*":
            possible = [f for action in listed(statement["Action"]) for f in formats(action, known)]
            for one in listed(statement["Resource"]):
                assert any(re.fullmatch(p, arn(template, one)) for p in possible), one


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
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert set(alarms) == {
        *("ServerErrors", "SlowAnswers", "SlowModel", "WaitsForMachine"),
        *("BadLongSentences", "BadShortSentences", "BrokenCanary", "BrokenDeployment"),
        "LostApproval",
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"]


def matches(template: dict[str, Any], rule: str, detail: dict[str, Any], kind: str) -> bool:
    """Whether EventBridge starts a rule's target, of the project `longspan`."""
    text = json.dumps(template["Resources"][rule]["Properties"]["EventPattern"])
    pattern = text.replace('{"Ref": "Project"}', '"longspan"')
    event = {"source": "aws.sagemaker", "detail-type": f"SageMaker {kind}", "detail": detail}
    return matches_event(pattern, event)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"ModelPackageGroupName": "another"}, False),
        ({"ModelApprovalStatus": "Rejected"}, False),
        ({"UpdatedModelPackageFields": ["CustomerMetadataProperties"]}, False),
        ({"UpdatedModelPackageFields": []}, False),  # registered as approved
    ],
)
def test_only_an_approval_leads_to_deployment(
    template: dict[str, Any], change: dict[str, Any], expected: bool
):
    """An event as AWS documents it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    detail = {
        "ModelPackageGroupName": "longspan",
        "ModelApprovalStatus": "Approved",
        "UpdatedModelPackageFields": ["ApprovalDescription", "ModelApprovalStatus"],
    }
    kind = "Model Package State Change"
    assert matches(template, "Approval", {**detail, **change}, kind) is expected


@pytest.mark.parametrize(
    ("status", "endpoint", "expected"),
    [("Baking", "longspan", True), ("Creating", "longspan", False), ("Baking", "other", False)],
)
def test_a_new_fleet_that_is_watched_is_measured(
    template: dict[str, Any], status: str, endpoint: str, expected: bool
):
    """EventBridge looks through lists of objects, as the event's variants are; moto does not."""
    variant = {"VariantName": "AllTraffic", "VariantStatus": {"Status": status}}
    summary = {"EndpointConfigName": "longspan-v2", "ProductionVariants": variant}
    detail = {"EndpointName": endpoint, "PendingDeploymentSummary": summary}
    kind = "Endpoint Deployment State Change"
    assert matches(template, "CanaryOfDeployment", detail, kind) is expected


def test_nothing_leaves_an_isolated_network_but_to_the_bucket(template: dict[str, Any]):
    ways = of_type(template, "AWS::EC2::VPCEndpoint")
    services = {
        way["ServiceName"]["Fn::Sub"].rpartition("${AWS::Region}.")[2] for way in ways.values()
    }
    assert services == {
        *("s3", "sagemaker.api", "sagemaker.runtime", "logs", "monitoring"),
        *("kms", "sts", "ecr.api", "ecr.dkr"),
    }
    policy = ways.pop("StorageWay")["PolicyDocument"]
    written = [one for one in policy["Statement"] if "s3:PutObject" in listed(one["Action"])]
    assert [one["Resource"][0] for one in written] == [{"Fn::GetAtt": ["Bucket", "Arn"]}]
    # Nor by an API with the keys of another account.
    for way in ways.values():
        [only] = way["PolicyDocument"]["Statement"]
        assert only["Condition"] == {"StringEquals": {"aws:PrincipalAccount": _ACCOUNT}}
    for group in of_type(template, "AWS::EC2::SecurityGroup").values():
        for way in group.get("SecurityGroupEgress", []) + group.get("SecurityGroupIngress", []):
            assert (way["FromPort"], way["ToPort"]) == (443, 443)


def test_services_of_aws_act_for_this_account_alone(template: dict[str, Any]):
    """Else another account's alarm or rule could use ours: the confused deputy."""
    documents = [
        one["PolicyDocument"]
        for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
        for one in of_type(template, kind).values()
    ]
    documents += [key["KeyPolicy"] for key in of_type(template, "AWS::KMS::Key").values()]
    documents.append(
        template["Resources"]["ExecutionRole"]["Properties"]["AssumeRolePolicyDocument"]
    )
    asked = [
        one
        for document in documents
        for one in document["Statement"]
        if "Service" in one["Principal"]
    ]
    assert len(asked) == 5
    for statement in asked:
        [(_, condition)] = statement["Condition"].items()
        [(name, value)] = condition.items()
        assert name in ("aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn")
        assert value in (_ACCOUNT, {"Fn::GetAtt": ["Approval", "Arn"]}) or (
            "${AWS::AccountId}" in value["Fn::Sub"]
        )
    for permission in of_type(template, "AWS::Lambda::Permission").values():
        assert "Fn::GetAtt" in permission["SourceArn"]


def test_names_of_roles_and_policies_fit_the_longest_project(template: dict[str, Any]):
    pattern = template["Parameters"]["Project"]["AllowedPattern"]
    longest = "a" * 31
    assert re.fullmatch(pattern, longest)
    for role in of_type(template, "AWS::IAM::Role").values():
        assert len(role["RoleName"]["Fn::Sub"].replace("${Project}", longest)) <= 64


def test_a_parameter_that_the_template_does_not_take_is_named(template: dict[str, Any]):
    with pytest.raises(StackError, match="got Bugdet; the template has Project"):
        parameters({"Bugdet": "5"}, template)
