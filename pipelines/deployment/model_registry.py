"""Versions of a model in the registry: find one, approve it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-approve.html
"""

from typing import Any

from botocore.exceptions import ClientError

from longspan.pipelines.cloud.aws_errors import AwsError, explained

__all__ = ["approve", "choose_package"]


def choose_package(sagemaker: Any, group: str, wanted: str | None, *, approved: bool) -> str:
    """Return the ARN of the version `wanted` of a group, or of the newest version.

    With `approved` the newest approved version. If `wanted` is an ARN, it is returned unchecked.
    Raises AwsError, which lists the existing versions, if there is none.
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
        f"expected {what} in the model package group {group}, "
        + (f"got {there}; choose one" if there else "got none; `longspan run` registers one")
    )


def _versions(sagemaker: Any, group: str) -> list[dict[str, Any]]:
    """Return the versions of a group, newest first; empty if the group does not exist."""
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
    """Approve a model package, by its ARN. Raises AwsError."""
    with explained(f"approving {package}"):
        sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
