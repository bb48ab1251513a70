"""Endpoint configs: the models of an endpoint, their instances and shares of the requests.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from longspan.infra.local.control.api import ApiCall, Document, Handler, NotFound, ValidationError
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Exists, Key, Missing
from longspan.infra.local.control.listing import Listing

__all__ = ["EndpointConfigs", "find_config"]

_KIND = "endpoint-config"
_NAME = "EndpointConfigName"
_CONFIGS = Listing(name=_NAME)
# Members that the local cloud refuses.
_UNSUPPORTED = (
    "AsyncInferenceConfig",
    "CrossRegionTrafficConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
)


def find_config(context: Context, call: ApiCall, name: str) -> Document:
    """Return an endpoint config. Raises NotFound, in AWS's words."""
    found = context.documents.find(Key(_KIND, call.region, name))
    if found is None:
        raise _missing(call, name)
    return found


class EndpointConfigs:
    """Service for endpoint configs."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            "CreateEndpointConfig": self._create,
            "DescribeEndpointConfig": self._describe,
            "ListEndpointConfigs": self._list,
            "DeleteEndpointConfig": self._delete,
        }

    def recover(self) -> None:
        """Do nothing: configs do not run."""

    def _create(self, call: ApiCall) -> Document:
        self._check(call)
        name = call.request[_NAME]
        arn = call.arn(f"{_KIND}/{name}")
        variants = [_with_defaults(variant) for variant in call.request["ProductionVariants"]]
        document = {
            **call.request,
            "ProductionVariants": variants,
            "EndpointConfigArn": arn,
            "CreationTime": self._context.now(),
        }
        try:
            self._context.documents.create(Key(_KIND, call.region, name), document)
        except Exists:
            raise ValidationError(
                f'Cannot create already existing endpoint configuration "{arn}".'
            ) from None
        return {"EndpointConfigArn": arn}

    def _check(self, call: ApiCall) -> None:
        for member in _UNSUPPORTED:
            if call.request.get(member):
                raise ValidationError(f"{member} is not supported by the local cloud: leave it out")
        capture = call.request.get("DataCaptureConfig")
        if capture and capture.get("EnableCapture", True):
            raise ValidationError(
                "DataCaptureConfig is not supported by the local cloud: leave it out, or set "
                "EnableCapture to false"
            )
        variants: Sequence[Mapping[str, Any]] = call.request["ProductionVariants"]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise ValidationError(
                "Production variant names must be unique within an endpoint configuration, got "
                + ", ".join(names)
            )
        for variant in variants:
            _check_capacity(variant)
            model = variant["ModelName"]
            if self._context.documents.find(Key("model", call.region, model)) is None:
                raise NotFound(f'Could not find model "{call.arn(f"model/{model}")}".')
        if not any(variant.get("InitialVariantWeight", 1.0) > 0 for variant in variants):
            raise ValidationError("At least one production variant must have a weight above 0.")

    def _describe(self, call: ApiCall) -> Document:
        return find_config(self._context, call, call.request[_NAME])

    def _list(self, call: ApiCall) -> Document:
        documents = [document for _, document in self._context.documents.of(_KIND, call.region)]
        return _CONFIGS.answer("EndpointConfigs", documents, call.request)

    def _delete(self, call: ApiCall) -> Document:
        """Delete a config; its endpoints continue to serve, but do not survive a restart."""
        name = call.request[_NAME]
        try:
            self._context.documents.delete(Key(_KIND, call.region, name))
        except Missing:
            raise _missing(call, name) from None
        return {}


def _missing(call: ApiCall, name: str) -> NotFound:
    return NotFound(f'Could not find endpoint configuration "{call.arn(f"{_KIND}/{name}")}".')


def _check_capacity(variant: Mapping[str, Any]) -> None:
    name = variant["VariantName"]
    if not variant.get("ModelName"):
        raise ValidationError(
            f"Production variant {name}: ModelName is required; the local cloud has no inference "
            "components"
        )
    if variant.get("InitialVariantWeight", 1.0) < 0:
        raise ValidationError(f"Production variant {name}: the weight must not be negative.")
    serverless, instance = variant.get("ServerlessConfig"), variant.get("InstanceType")
    if serverless and (instance or variant.get("InitialInstanceCount")):
        raise ValidationError(
            f"Production variant {name}: give either ServerlessConfig, or InstanceType and "
            "InitialInstanceCount, not both."
        )
    if serverless:
        _check_serverless(name, serverless)
    elif not (instance and variant.get("InitialInstanceCount")):
        raise ValidationError(
            f"Production variant {name}: give InstanceType and InitialInstanceCount, or "
            "ServerlessConfig."
        )


def _check_serverless(name: str, serverless: Mapping[str, int]) -> None:
    """Check the memory and concurrency of a serverless variant.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """
    # The API's model has the lowest and the highest value, but not the steps between them.
    if serverless["MemorySizeInMB"] % 1024:
        raise ValidationError(
            f"Production variant {name}: MemorySizeInMB must be 1024, 2048, 3072, 4096, 5120 or "
            f"6144, got {serverless['MemorySizeInMB']}."
        )
    provisioned = serverless.get("ProvisionedConcurrency", 0)
    if provisioned > serverless["MaxConcurrency"]:
        raise ValidationError(
            f"Production variant {name}: ProvisionedConcurrency {provisioned} is greater than "
            f"MaxConcurrency {serverless['MaxConcurrency']}."
        )


def _with_defaults(variant: Mapping[str, Any]) -> Document:
    # AWS's default, stored as if it had been in the request: Describe shows it.
    return {"InitialVariantWeight": 1.0, **variant}
