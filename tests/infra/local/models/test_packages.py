"""The model registry: groups, versions, approval."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.local.control.control_client import ControlClient, open_control

PREFIX = "arn:aws:sagemaker:us-east-1:123456789012:"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlClient]:
    with open_control(tmp_path_factory.mktemp("control")) as control:
        yield control


def group(control: ControlClient, name: str) -> str:
    control.call("CreateModelPackageGroup", ModelPackageGroupName=name)
    return name


def version(control: ControlClient, name: str, **members: Any) -> str:
    """Its ARN."""
    created = control.call("CreateModelPackage", ModelPackageGroupName=name, **members)
    return str(created["ModelPackageArn"])


def describe(control: ControlClient, arn: str) -> dict[str, Any]:
    return control.call("DescribeModelPackage", ModelPackageName=arn)


def test_versions_are_counted_also_past_those_that_are_deleted(control: ControlClient) -> None:
    name = group(control, "counted")
    arns = [version(control, name) for _ in range(2)]
    assert arns == [f"{PREFIX}model-package/counted/{number}" for number in (1, 2)]
    control.call("DeleteModelPackage", ModelPackageName=arns[1])
    assert version(control, f"{PREFIX}model-package-group/counted").endswith("/counted/3")
    assert describe(control, arns[0])["ModelPackageVersion"] == 1
    code, message = control.refusal("DescribeModelPackage", ModelPackageName=arns[1])
    assert (code, message) == ("ValidationException", f"Model Package {arns[1]} does not exist.")


def test_a_version_is_described_as_it_was_registered(control: ControlClient) -> None:
    members = {
        "ModelPackageDescription": "the best",
        "InferenceSpecification": {
            "Containers": [{"Image": "image", "ModelDataUrl": "s3://b/model.tar.gz"}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/evaluation"}
            }
        },
        "CustomerMetadataProperties": {"bleu": "21.5"},
    }
    found = describe(control, version(control, group(control, "described"), **members))
    assert {name: found[name] for name in members} == members
    assert found["ModelPackageName"] == found["ModelPackageGroupName"] == "described"
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelApprovalStatus"] == "PendingManualApproval"


def test_approval_is_set_and_filtered_by(control: ControlClient) -> None:
    name = group(control, "approved")
    first, second = (version(control, name) for _ in range(2))
    third = version(control, name, ModelApprovalStatus="Approved")
    answer = control.call(
        "UpdateModelPackage",
        ModelPackageArn=first,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
        CustomerMetadataProperties={"by": "me", "why": "bleu"},
    )
    assert answer["ModelPackageArn"] == first
    control.call(
        "UpdateModelPackage", ModelPackageArn=first, CustomerMetadataPropertiesToRemove=["why"]
    )
    found = describe(control, first)
    assert found["ApprovalDescription"] == "good"
    assert found["CustomerMetadataProperties"] == {"by": "me"}
    assert found["LastModifiedTime"] > found["CreationTime"]

    def listed(status: str) -> list[str]:
        packages = control.pages(
            "ListModelPackages",
            "ModelPackageSummaryList",
            ModelPackageGroupName=name,
            ModelApprovalStatus=status,
            MaxResults=1,
        )
        return [package["ModelPackageArn"] for package in packages]

    assert listed("Approved") == [first, third]  # the oldest first, by AWS's default
    assert listed("PendingManualApproval") == [second]
    assert listed("Rejected") == []
    code, _ = control.refusal(
        "UpdateModelPackage", ModelPackageArn=first, ModelApprovalStatus="Maybe"
    )
    assert code == "ValidationException"


def test_packages_of_their_own_have_no_versions(control: ControlClient) -> None:
    arn = control.call("CreateModelPackage", ModelPackageName="alone")["ModelPackageArn"]
    assert arn == f"{PREFIX}model-package/alone"
    found = describe(control, "alone")
    assert "ModelApprovalStatus" not in found
    listed = control.call("ListModelPackages")["ModelPackageSummaryList"]
    assert arn in [package["ModelPackageArn"] for package in listed]
    in_groups = version(control, group(control, "apart"))
    both = list(
        control.pages(
            "ListModelPackages", "ModelPackageSummaryList", ModelPackageType="Both", MaxResults=3
        )
    )
    assert {arn, in_groups} <= {package["ModelPackageArn"] for package in both}
    _, message = control.refusal(
        "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved"
    )
    assert "Only versions" in message
    _, message = control.refusal("CreateModelPackage", ModelPackageName="alone")
    assert message == f"Model Package already exists: {arn}"


def test_a_group_goes_when_it_is_empty(control: ControlClient) -> None:
    name = group(control, "group")
    found = control.call("DescribeModelPackageGroup", ModelPackageGroupName=name)
    arn = found["ModelPackageGroupArn"]
    assert found["ModelPackageGroupStatus"] == "Completed"
    _, message = control.refusal("CreateModelPackageGroup", ModelPackageGroupName=name)
    assert message == f"Model Package Group already exists: {arn}"
    package = version(control, name)
    code, message = control.refusal("DeleteModelPackageGroup", ModelPackageGroupName=arn)
    assert (code, "Delete them first" in message) == ("ConflictException", True)
    control.call("DeleteModelPackage", ModelPackageName=package)
    listed = control.call("ListModelPackageGroups", NameContains="group")
    assert arn in [g["ModelPackageGroupArn"] for g in listed["ModelPackageGroupSummaryList"]]
    control.call("DeleteModelPackageGroup", ModelPackageGroupName=name)
    for operation, request in {
        "DescribeModelPackageGroup": {},
        "DeleteModelPackageGroup": {},
        "CreateModelPackage": {},
        "ListModelPackages": {},
    }.items():
        _, message = control.refusal(operation, ModelPackageGroupName=name, **request)
        assert message == f"Model Package Group {arn} does not exist."


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "give a ModelPackageGroupName or a ModelPackageName"),
        ({"ModelPackageName": "a", "ModelPackageGroupName": "b"}, "Cannot determine"),
        (
            {"ModelPackageGroupName": "none", "Tags": [{"Key": "a", "Value": "b"}]},
            "not supported for versioned",
        ),
    ],
)
def test_requests_that_make_no_sense_are_refused(
    control: ControlClient, request_: dict[str, Any], said: str
) -> None:
    code, message = control.refusal("CreateModelPackage", **request_)
    assert (code, said in message) == ("ValidationException", True)
