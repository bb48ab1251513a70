"""Versions of a model in the registry: find one, approve it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-approve.html
"""

from typing import Any

from botocore.exceptions import ClientError

from longspan.pipelines.cloud.aws_errors import AwsError, explained

__all__ = ["approve", "choose_package"]


def choose_package(sagemaker: Any, group: str, wanted: str | None, *, approved: bool) -> str:
    """The ARN of a version, by its number; without `wanted`, of the newest one.

    Of the newest approved one when `approved`. An ARN, of any group or of none, is given back.
    Raises AwsError, which says what there is.
    """
    if wanted is not None and wanted.startswith("arn:"):
        return wanted
    found = _versions(sagemaker, group)
    for package in found:
        fits = package["ModelApprovalStatus"] == "Approved" or not approved
        if wanted == str(package["ModelPackageVersion"]) or (wanted is None and fits):
            return str(package["ModelPackageArn"])
    there = ", ".join(
        f"{package['ModelPackageVersion']} ({package['ModelApprovalStatus']})"
        for package in found[:5]
    )
    what = f"version {wanted}" if wanted else "an approved version" if approved else "a version"
    raise AwsError(
        f"expected {what} in the model package group {group}; "
        + (f"there are: {there}" if there else "there is none; `longspan run` registers one")
    )


def _versions(sagemaker: Any, group: str) -> list[dict[str, Any]]:
    """Newest first; none where there is no such group yet."""
    with explained(f"the model package group {group}"):
        try:
            pages = sagemaker.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
            )
            return [package for page in pages for package in page["ModelPackageSummaryList"]]
        except ClientError as error:
            if "does not exist" in str(error):
                return []
            raise


def approve(sagemaker: Any, package: str) -> None:
    """Set its approval status. Raises AwsError."""
    with explained(f"approving {package}"):
        sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
