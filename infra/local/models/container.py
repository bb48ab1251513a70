"""Container of a model, defined by the model itself or by a model package.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.documents import Documents
from longspan.infra.local.models.data import ModelData
from longspan.infra.local.models.packages import package_document

__all__ = ["ModelContainer"]


@dataclass(frozen=True)
class ModelContainer:
    """Image, environment and data of a model's container, with its role (ARN)."""

    image: str
    environment: Mapping[str, str]
    data: ModelData | None
    role: str
    isolated: bool

    @classmethod
    def of(cls, model: Mapping[str, Any], documents: Documents, region: str) -> "ModelContainer":
        """Return the container of a model or of a CreateModel request.

        Raises ValidationError, in AWS's words.
        """
        definition = _definition(model)
        name = definition.get("ModelPackageName")
        if name is not None:
            definition = _by_package(name, definition, documents, region)
        if not definition.get("Image"):
            raise ValidationError("The container definition has no Image: give one.")
        role = model.get("ExecutionRoleArn")
        if not role:
            raise ValidationError("ExecutionRoleArn is required: give the container's role.")
        return cls(
            image=definition["Image"],
            environment=definition.get("Environment") or {},
            data=ModelData.parse(definition),
            role=role,
            isolated=bool(model.get("EnableNetworkIsolation")),
        )


def _definition(model: Mapping[str, Any]) -> Mapping[str, Any]:
    primary, several = model.get("PrimaryContainer"), model.get("Containers") or ()
    if primary is not None and several:
        raise ValidationError("Give either PrimaryContainer or Containers, not both.")
    definitions: Sequence[Mapping[str, Any]] = [primary] if primary is not None else several
    if not definitions:
        raise ValidationError("Give a PrimaryContainer.")
    if len(definitions) > 1:
        raise ValidationError(
            f"Containers: expected one container, got {len(definitions)}; the local cloud has no "
            "inference pipelines"
        )
    if definitions[0].get("Mode") == "MultiModel":
        raise ValidationError("Mode: expected SingleModel, got MultiModel")
    return definitions[0]


def _by_package(
    name: str, definition: Mapping[str, Any], documents: Documents, region: str
) -> Mapping[str, Any]:
    """Return the container of a package, with the definition's variables added."""
    for member in ("Image", "ModelDataUrl", "ModelDataSource"):
        if definition.get(member):
            raise ValidationError(f"Give either ModelPackageName or {member}, not both.")
    package = package_document(documents, region, name)
    if package is None:
        raise ValidationError(f"Model Package {name} does not exist.")
    specification = package.get("InferenceSpecification")
    if not specification:
        raise ValidationError(f"Model Package {name} has no InferenceSpecification.")
    container = specification["Containers"][0]
    environment = {**(container.get("Environment") or {}), **(definition.get("Environment") or {})}
    return {**container, "Environment": environment}
