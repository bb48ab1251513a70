"""The model registry: groups, versions, approval."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.local.plane_bench import PlaneBench, registry

PREFIX = "arn:aws:sagemaker:us-east-1:123456789012:"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaneBench]:
    with registry(tmp_path_factory.mktemp("registry")) as bench:
        yield bench


def group(bench: PlaneBench, name: str) -> str:
    bench.call("CreateModelPackageGroup", ModelPackageGroupName=name)
    return name


def version(bench: PlaneBench, name: str, **members: Any) -> str:
    """Its ARN."""
    created = bench.call("CreateModelPackage", ModelPackageGroupName=name, **members)
    return str(created["ModelPackageArn"])


def describe(bench: PlaneBench, arn: str) -> dict[str, Any]:
    return bench.call("DescribeModelPackage", ModelPackageName=arn)


def test_versions_are_counted_also_past_those_that_are_deleted(bench: PlaneBench) -> None:
    name = group(bench, "counted")
    arns = [version(bench, name) for _ in range(2)]
    assert arns == [f"{PREFIX}model-package/counted/{number}" for number in (1, 2)]
    bench.call("DeleteModelPackage", ModelPackageName=arns[1])
    assert version(bench, f"{PREFIX}model-package-group/counted").endswith("/counted/3")
    assert describe(bench, arns[0])["ModelPackageVersion"] == 1
    code, message = bench.refusal("DescribeModelPackage", ModelPackageName=arns[1])
    assert (code, message) == ("ValidationException", f"Model Package {arns[1]} does not exist.")


def test_a_version_is_described_as_it_was_registered(bench: PlaneBench) -> None:
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
    found = describe(bench, version(bench, group(bench, "described"), **members))
    assert {name: found[name] for name in members} == members
    assert found["ModelPackageName"] == found["ModelPackageGroupName"] == "described"
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelApprovalStatus"] == "PendingManualApproval"


def test_approval_is_set_and_filtered_by(bench: PlaneBench) -> None:
    name = group(bench, "approved")
    first, second = (version(bench, name) for _ in range(2))
    third = version(bench, name, ModelApprovalStatus="Approved")
    answer = bench.call(
        "UpdateModelPackage",
        ModelPackageArn=first,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
        CustomerMetadataProperties={"by": "me", "why": "bleu"},
    )
    assert answer["ModelPackageArn"] == first
    bench.call(
        "UpdateModelPackage", ModelPackageArn=first, CustomerMetadataPropertiesToRemove=["why"]
    )
    found = describe(bench, first)
    assert found["ApprovalDescription"] == "good"
    assert found["CustomerMetadataProperties"] == {"by": "me"}
    assert found["LastModifiedTime"] > found["CreationTime"]

    def listed(status: str) -> list[str]:
        packages = bench.pages(
            "ListModelPackages",
            "ModelPackageSummaryList",
            ModelPackageGroupName=name,
            ModelApprovalStatus=status,
            MaxResults=1,
        )
        return [package["ModelPackageArn"] for package in packages]

    assert listed("Approved") == [third, first]  # the newest first
    assert listed("PendingManualApproval") == [second]
    assert listed("Rejected") == []
    code, _ = bench.refusal(
        "UpdateModelPackage", ModelPackageArn=first, ModelApprovalStatus="Maybe"
    )
    assert code == "ValidationException"


def test_packages_of_their_own_have_no_versions(bench: PlaneBench) -> None:
    arn = bench.call("CreateModelPackage", ModelPackageName="alone")["ModelPackageArn"]
    assert arn == f"{PREFIX}model-package/alone"
    found = describe(bench, "alone")
    assert "ModelApprovalStatus" not in found
    listed = bench.call("ListModelPackages")["ModelPackageSummaryList"]
    assert arn in [package["ModelPackageArn"] for package in listed]
    in_groups = version(bench, group(bench, "apart"))
    both = list(
        bench.pages(
            "ListModelPackages", "ModelPackageSummaryList", ModelPackageType="Both", MaxResults=3
        )
    )
    assert {arn, in_groups} <= {package["ModelPackageArn"] for package in both}
    _, message = bench.refusal(
        "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved"
    )
    assert "Only versions" in message
    _, message = bench.refusal("CreateModelPackage", ModelPackageName="alone")
    assert message == f"Model Package already exists: {arn}"


def test_a_group_goes_when_it_is_empty(bench: PlaneBench) -> None:
    name = group(bench, "group")
    found = bench.call("DescribeModelPackageGroup", ModelPackageGroupName=name)
    arn = found["ModelPackageGroupArn"]
    assert found["ModelPackageGroupStatus"] == "Completed"
    _, message = bench.refusal("CreateModelPackageGroup", ModelPackageGroupName=name)
    assert message == f"Model Package Group already exists: {arn}"
    package = version(bench, name)
    code, message = bench.refusal("DeleteModelPackageGroup", ModelPackageGroupName=arn)
    assert (code, "Delete them first" in message) == ("ConflictException", True)
    bench.call("DeleteModelPackage", ModelPackageName=package)
    listed = bench.call("ListModelPackageGroups", NameContains="group")
    assert arn in [g["ModelPackageGroupArn"] for g in listed["ModelPackageGroupSummaryList"]]
    bench.call("DeleteModelPackageGroup", ModelPackageGroupName=name)
    for operation, request in {
        "DescribeModelPackageGroup": {},
        "DeleteModelPackageGroup": {},
        "CreateModelPackage": {},
        "ListModelPackages": {},
    }.items():
        _, message = bench.refusal(operation, ModelPackageGroupName=name, **request)
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
    bench: PlaneBench, request_: dict[str, Any], said: str
) -> None:
    code, message = bench.refusal("CreateModelPackage", **request_)
    assert (code, said in message) == ("ValidationException", True)
