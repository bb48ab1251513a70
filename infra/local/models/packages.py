"""The model registry: groups of versioned packages, and packages without a group.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
"""

from collections.abc import Mapping

from longspan.infra.local.control.api import (
    ApiCall,
    Conflict,
    Document,
    Handler,
    NotFound,
    ValidationError,
)
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Documents, Exists, Key, Missing
from longspan.infra.local.control.listing import Listing

__all__ = ["GROUP", "PACKAGE", "ModelPackages", "package_document", "short_name"]

GROUP, PACKAGE = "model-package-group", "model-package"  # kinds of document


def short_name(name_or_arn: str) -> str:
    """Return `group/3` or `name`, the part of an ARN after the resource type."""
    return name_or_arn.partition("/")[2] if name_or_arn.startswith("arn:") else name_or_arn


def package_document(documents: Documents, region: str, name_or_arn: str) -> Document | None:
    """Return a package by its name or ARN, or None."""
    return documents.find(Key(PACKAGE, region, short_name(name_or_arn)))


_GROUPS = Listing(
    name="ModelPackageGroupName", status="ModelPackageGroupStatus", default_order="Ascending"
)
_PACKAGES = Listing(name="_Name", status="ModelPackageStatus", default_order="Ascending")
_STATUS_DETAILS: Document = {"ValidationStatuses": [], "ImageScanStatuses": []}
# Members that an update copies from the request.
_UPDATED = (
    "ApprovalDescription",
    "InferenceSpecification",
    "ModelApprovalStatus",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
    "SourceUri",
)


class ModelPackages:
    """Service for the model registry."""

    def __init__(self, context: Context) -> None:
        self._documents = context.documents
        self._now = context.now

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            "CreateModelPackageGroup": self._create_group,
            "DescribeModelPackageGroup": self._describe_group,
            "ListModelPackageGroups": self._list_groups,
            "DeleteModelPackageGroup": self._delete_group,
            "CreateModelPackage": self._create,
            "DescribeModelPackage": self._describe,
            "ListModelPackages": self._list,
            "UpdateModelPackage": self._update,
            "DeleteModelPackage": self._delete,
        }

    def recover(self) -> None:
        """Do nothing: the registry only consists of documents."""

    def _create_group(self, call: ApiCall) -> Document:
        name = call.request["ModelPackageGroupName"]
        arn = call.arn(f"{GROUP}/{name}")
        document = {
            **call.request,
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": self._now(),
            "CreatedBy": {},
            "_LastVersion": 0,
        }
        try:
            self._documents.create(Key(GROUP, call.region, name), document)
        except Exists:
            raise ValidationError(f"Model Package Group already exists: {arn}") from None
        return {"ModelPackageGroupArn": arn}

    def _describe_group(self, call: ApiCall) -> Document:
        return self._group(call, call.request["ModelPackageGroupName"])

    def _list_groups(self, call: ApiCall) -> Document:
        groups = [document for _, document in self._documents.of(GROUP, call.region)]
        return _GROUPS.answer("ModelPackageGroupSummaryList", groups, call.request)

    def _delete_group(self, call: ApiCall) -> Document:
        group = self._group(call, call.request["ModelPackageGroupName"])
        name = group["ModelPackageGroupName"]
        if any(
            package.get("ModelPackageGroupName") == name
            for _, package in self._documents.of(PACKAGE, call.region)
        ):
            raise Conflict(
                f"Model Package Group {name} cannot be deleted: it contains model packages. "
                "Delete them first."
            )
        self._documents.delete(Key(GROUP, call.region, name))
        return {}

    def _create(self, call: ApiCall) -> Document:
        name, group = (call.request.get(f"ModelPackage{part}Name") for part in ("", "Group"))
        if name and group:
            raise ValidationError(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
                "Cannot determine which one to use."
            )
        if group:
            return self._create_version(call, group)
        if name:
            return self._add(call, name, {"ModelPackageName": name})
        raise ValidationError("Missing ARN: give a ModelPackageGroupName or a ModelPackageName.")

    def _create_version(self, call: ApiCall, group_name: str) -> Document:
        if call.request.get("Tags"):
            raise ValidationError(
                "Tags are not supported for versioned model packages: tag their group."
            )
        name = self._group(call, group_name)["ModelPackageGroupName"]

        def count(document: Document) -> None:
            document["_LastVersion"] += 1

        # The number of a deleted version is not used again.
        version = self._documents.edit(Key(GROUP, call.region, name), count)["_LastVersion"]
        members = {
            "ModelPackageGroupName": name,
            "ModelPackageVersion": version,
            "ModelApprovalStatus": call.request.get("ModelApprovalStatus")
            or "PendingManualApproval",
        }
        return self._add(call, f"{name}/{version}", members)

    def _add(self, call: ApiCall, name: str, members: Document) -> Document:
        arn = call.arn(f"{PACKAGE}/{name}")
        document = {
            **call.request,
            **members,
            "ModelPackageArn": arn,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": _STATUS_DETAILS,
            "CreationTime": self._now(),
            "CreatedBy": {},
            # For lists to filter and sort by: a version has no name of its own.
            "_Name": name,
        }
        try:
            self._documents.create(Key(PACKAGE, call.region, name), document)
        except Exists:
            raise ValidationError(f"Model Package already exists: {arn}") from None
        return {"ModelPackageArn": arn}

    def _describe(self, call: ApiCall) -> Document:
        """Return a package; AWS's model requires a name, so a version shows its group's."""
        package = self._package(call, call.request["ModelPackageName"])
        return {"ModelPackageName": package.get("ModelPackageGroupName"), **package}

    def _list(self, call: ApiCall) -> Document:
        """List the versions of a group, or packages without a group, or both as requested."""
        request = call.request
        group, status = request.get("ModelPackageGroupName"), request.get("ModelApprovalStatus")
        group = group and self._group(call, group)["ModelPackageGroupName"]
        # AWS lists packages without a group by default; the name of a group asks for its versions.
        kind = request.get("ModelPackageType") or ("Versioned" if group else "Unversioned")
        packages = [
            package
            for _, package in self._documents.of(PACKAGE, call.region)
            if kind in ("Both", _kind(package))
            and group in (None, package.get("ModelPackageGroupName"))
            and status in (None, package.get("ModelApprovalStatus"))
        ]
        return _PACKAGES.answer("ModelPackageSummaryList", packages, request)

    def _update(self, call: ApiCall) -> Document:
        request = call.request
        name = short_name(request["ModelPackageArn"])
        found = self._package(call, request["ModelPackageArn"])
        if "ModelApprovalStatus" in request and _kind(found) == "Unversioned":
            raise ValidationError("Only versions of a model package group have an approval status.")

        def update(document: Document) -> None:
            document.update({member: request[member] for member in _UPDATED if member in request})
            document["LastModifiedTime"] = self._now()
            _update_properties(document, request)
            if added := request.get("AdditionalInferenceSpecificationsToAdd"):
                document.setdefault("AdditionalInferenceSpecifications", []).extend(added)

        self._documents.edit(Key(PACKAGE, call.region, name), update)
        return {"ModelPackageArn": found["ModelPackageArn"]}

    def _delete(self, call: ApiCall) -> Document:
        """Delete a package; models that were created from it continue to work."""
        name = call.request["ModelPackageName"]
        try:
            self._documents.delete(Key(PACKAGE, call.region, short_name(name)))
        except Missing:
            raise _missing(call, name) from None
        return {}

    def _group(self, call: ApiCall, name: str) -> Document:
        found = self._documents.find(Key(GROUP, call.region, short_name(name)))
        if found is None:
            arn = call.arn(f"{GROUP}/{short_name(name)}")
            raise NotFound(f"Model Package Group {arn} does not exist.")
        return found

    def _package(self, call: ApiCall, name: str) -> Document:
        found = package_document(self._documents, call.region, name)
        if found is None:
            raise _missing(call, name)
        return found


def _missing(call: ApiCall, name: str) -> NotFound:
    return NotFound(f"Model Package {call.arn(f'{PACKAGE}/{short_name(name)}')} does not exist.")


def _kind(package: Document) -> str:
    return "Versioned" if "ModelPackageVersion" in package else "Unversioned"


def _update_properties(document: Document, request: Document) -> None:
    properties = document.get("CustomerMetadataProperties", {})
    properties.update(request.get("CustomerMetadataProperties", {}))
    for name in request.get("CustomerMetadataPropertiesToRemove", ()):
        properties.pop(name, None)
    if properties:
        document["CustomerMetadataProperties"] = properties
