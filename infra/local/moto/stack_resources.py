"""SageMaker's resources in CloudFormation stacks, created through the local SageMaker's API.

moto itself would only note them. Types that the local cloud cannot create are refused by name.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SageMaker.html
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import Shape
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import ResourceMap, get_model_map
from moto.core.common_models import CloudFormationModel

from longspan.infra.local.control import shapes
from longspan.infra.local.control.clients import Clients

__all__ = ["answer_stacks"]

_SAGEMAKER = "AWS::SageMaker::"
_KINDS = ("Model", "EndpointConfig", "Endpoint", "ModelPackageGroup", "Pipeline")
_PAUSE = 0.2  # seconds between two looks at an endpoint


def answer_stacks(clients: Clients) -> None:
    """Let stacks create SageMaker's resources by `clients`, and refuse the other types of it.

    Replaces methods of moto's CloudFormation for the whole process.
    """
    models: dict[str, Any] = get_model_map()
    for name in [name for name in models if name.startswith(_SAGEMAKER)]:
        del models[name]
    models |= {f"{_SAGEMAKER}{kind}": _model(kind, clients) for kind in _KINDS}
    for name in ("load", "update"):
        setattr(ResourceMap, name, _checked(getattr(ResourceMap, name)))


def _checked(original: Any) -> Any:
    """Wrap a method that reads a template: refuse it before it creates anything."""

    def check(self: Any, template: Any = None, *more: Any, **named: Any) -> Any:
        _check_types(self._template if template is None else template)
        given = () if template is None else (template, *more)
        return original(self, *given, **named)

    return check


def _check_types(template: Mapping[str, Any]) -> None:
    types = {resource.get("Type", "") for resource in template.get("Resources", {}).values()}
    unknown = sorted(
        name for name in types if name.startswith(_SAGEMAKER) and name not in get_model_map()
    )
    if unknown:
        raise ValidationError(
            message=f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]"
        )


def _model(kind: str, clients: Clients) -> type[CloudFormationModel]:
    """Return the class by which moto creates and deletes the resources of one kind."""
    name_member, arn_member = f"{kind}Name", f"{kind}Arn"

    class Resource(CloudFormationModel):
        def __init__(self, name: str, arn: str) -> None:
            self._members = {name_member: name, arn_member: arn}
            self.type = f"{_SAGEMAKER}{kind}"

        @property
        def physical_resource_id(self) -> str:
            """Value of `Ref`."""
            return self._members[name_member if kind == "Pipeline" else arn_member]

        @staticmethod
        def cloudformation_name_type() -> str:
            return name_member

        @staticmethod
        def cloudformation_type() -> str:
            return f"{_SAGEMAKER}{kind}"

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in (name_member, arn_member)

        def get_cfn_attribute(self, name: str) -> str:
            return self._members[name]

        @classmethod
        def create_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: dict[str, Any],
            account_id: str,
            region_name: str,
            **_: Any,
        ) -> "Resource":
            sagemaker = clients.in_region(region_name).client("sagemaker")
            request = _request(
                kind, {name_member: resource_name, **_properties(cloudformation_json)}
            )
            arn = _call(sagemaker, f"Create{kind}", request)[arn_member]
            if kind == "Endpoint":
                _wait(sagemaker, request[name_member])
            return cls(request[name_member], arn)

        @classmethod
        def update_from_cloudformation_json(
            cls,
            original_resource: Any,
            new_resource_name: str,
            cloudformation_json: dict[str, Any],
            account_id: str,
            region_name: str,
        ) -> Any:
            raise ValidationError(
                message=f"{original_resource.type}: the local cloud cannot update it; delete the "
                "stack, and create it again"
            )

        @classmethod
        def delete_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: dict[str, Any],
            account_id: str,
            region_name: str,
        ) -> None:
            sagemaker = clients.in_region(region_name).client("sagemaker")
            # An ARN, or the name of a pipeline.
            _call(sagemaker, f"Delete{kind}", {name_member: resource_name.rpartition("/")[2]})

    return Resource


def _properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    return resource.get("Properties") or {}


def _call(sagemaker: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return dict(getattr(sagemaker, xform_name(operation))(**request))
    except (ClientError, BotoCoreError) as error:
        raise ValidationError(message=str(error)) from None


def _wait(sagemaker: Any, endpoint: str) -> None:
    while True:
        found = sagemaker.describe_endpoint(EndpointName=endpoint)
        if found["EndpointStatus"] == "Failed":
            raise ValidationError(message=f"Endpoint {endpoint}: {found.get('FailureReason')}")
        if found["EndpointStatus"] != "Creating":
            return
        time.sleep(_PAUSE)


def _request(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of the API for a resource's properties in a template."""
    given = dict(properties)
    if kind == "Pipeline" and "PipelineDefinition" in given:
        given |= dict(_definition(given.pop("PipelineDefinition")))
    return dict(_typed(given, shapes.operation(f"Create{kind}").input_shape))


def _definition(definition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the members of CreatePipeline for the property of a template."""
    if "PipelineDefinitionBody" in definition:
        yield "PipelineDefinition", definition["PipelineDefinitionBody"]
    location = definition.get("PipelineDefinitionS3Location")
    if location:
        names = {"Bucket": "Bucket", "Key": "ObjectKey", "Version": "VersionId"}
        members = {names.get(name, name): value for name, value in location.items()}
        yield "PipelineDefinitionS3Location", members


def _typed(value: Any, shape: Shape) -> Any:
    """Return a value with the types of the API, where a template may have texts."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        members = shape.members
        return {n: _typed(v, members[n]) if n in members else v for n, v in value.items()}
    if kind == "map" and isinstance(value, Mapping):
        return {name: _typed(item, shape.value) for name, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_typed(item, shape.member) for item in value]
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind in _NUMBERS and isinstance(value, str):
        return _NUMBERS[kind](value)
    return str(value) if kind == "string" and isinstance(value, int | float) else value


_NUMBERS: Mapping[str, Any] = {"integer": int, "long": int, "float": float, "double": float}
