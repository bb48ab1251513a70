"""The steps CreateModel, EndpointConfig and Endpoint: the registered model in service."""

from typing import Any

from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.sdk import ExecutionVariables, Join, StepTypeEnum
from longspan.pipelines.definition.steps import RequestStep, service_retries, tags, without_empty
from longspan.pipelines.deployment.deployment import VARIANT, blue_green, variant

__all__ = ["deployment_steps"]


def deployment_steps(context: BuildContext, package: Any) -> list[RequestStep]:
    """Return the steps for the model package `package`; each refers to the one before it.

    The last step updates an endpoint that exists.
    """
    model = _model_step(context, package)
    config = _config_step(context, model.properties.ModelName)
    return [model, config, _endpoint_step(context, config.properties.EndpointConfigName)]


def _model_step(context: BuildContext, package: Any) -> RequestStep:
    config = context.config
    vpc = config.aws.vpc
    request = {
        # SageMaker appends the id of the execution and a suffix.
        "ModelName": config.name,
        "ExecutionRoleArn": context.target.role_arn,
        "Containers": [{"ModelPackageName": package}],
        "EnableNetworkIsolation": config.aws.network_isolation or None,  # None is left out
        "VpcConfig": {
            "Subnets": list(vpc.subnets),
            "SecurityGroupIds": list(vpc.security_groups),
        }
        if vpc
        else None,
        "Tags": tags(config.aws),
    }
    return RequestStep(
        "CreateModel",
        StepTypeEnum.CREATE_MODEL,
        without_empty(request),
        ["DescribeModelOutput"],
        retries=service_retries(config.aws.retries),
    )


def _config_step(context: BuildContext, model: Any) -> RequestStep:
    config = context.config
    machine = variant(config.endpoint)
    if context.parameters.endpoint_instance is not None:
        machine["InstanceType"] = context.parameters.endpoint_instance
    request = {
        # A new name in each execution, because an endpoint config cannot be changed.
        "EndpointConfigName": Join(
            on="-", values=[config.endpoint_name, ExecutionVariables.PIPELINE_EXECUTION_ID]
        ),
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": model,
                "InitialVariantWeight": 1.0,
                **machine,
            }
        ],
        "KmsKeyId": config.aws.kms.volume,
        "Tags": tags(config.aws),
    }
    # AWS allows no retry policies for steps of this type and of the next one.
    return RequestStep(
        "EndpointConfig",
        StepTypeEnum.ENDPOINT_CONFIG,
        without_empty(request),
        ["DescribeEndpointConfigOutput"],
    )


def _endpoint_step(context: BuildContext, endpoint_config: Any) -> RequestStep:
    config = context.config
    request = {
        "EndpointName": config.endpoint_name,
        "EndpointConfigName": endpoint_config,
        "DeploymentConfig": blue_green(config.endpoint.rollback_alarms),
        "Tags": tags(config.aws),
    }
    return RequestStep(
        "Endpoint", StepTypeEnum.ENDPOINT, without_empty(request), ["DescribeEndpointOutput"]
    )
