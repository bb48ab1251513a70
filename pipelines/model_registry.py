"""Versions of a model in the registry: find one, approve it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-approve.html
"""

from typing import Any

from longspan.pipelines.aws_errors import AwsError, explained

__all__ = ["approve", "find_package"]


def find_package(sagemaker: Any, group: str, wanted: str | None, *, approved: bool) -> str:
    """The ARN of a version, by its number or its ARN; without `wanted`, of the newest one.

    Of the newest approved one when `approved`. Raises AwsError, which says what there is.
    """
    with explained(f"the model package group {group}"):
        pages = sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
        )
        found = [package for page in pages for package in page["ModelPackageSummaryList"]]
    for package in found:
        names = (package["ModelPackageArn"], str(package["ModelPackageVersion"]))
        fits = package["ModelApprovalStatus"] == "Approved" or not approved
        if wanted in names or (wanted is None and fits):
            return str(package["ModelPackageArn"])
    there = ", ".join(
        f"{package['ModelPackageVersion']} ({package['ModelApprovalStatus']})"
        for package in found[:5]
    )
    what = f"version {wanted}" if wanted else "an approved version" if approved else "a version"
    raise AwsError(f"expected {what} in the model package group {group}; there are: {there or '-'}")


def approve(sagemaker: Any, package: str) -> None:
    """Set its approval status. Raises AwsError."""
    with explained(f"approving {package}"):
        sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
