"""Resources that the types of steps create: their operations, and members of their answers.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["RESOURCES", "UNSUPPORTED", "StepResource"]


@dataclass(frozen=True)
class StepResource:
    """Resource of one type of step, with its operations `create` and `describe`.

    `name` is the member with the name in both requests, `arn` the member with the ARN in both
    answers, `metadata` the member of a step's metadata with the ARN. A resource that runs has a
    `kind` of document; its member `status` ends with `done`, or with another value that is not in
    `running`. With `literal`, the step uses the given name unchanged, otherwise as the prefix of
    a generated name of at most `longest` characters. `cached` are the arguments that must be
    equal for a cached result, by default all.
    """

    create: str
    describe: str
    name: str
    arn: str
    metadata: str
    kind: str = ""
    status: str = ""
    done: str = "Completed"
    running: tuple[str, ...] = ("InProgress", "Stopping")
    stop: str = ""
    literal: bool = False
    longest: int = 63
    cacheable: bool = False
    cached: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    retryable: bool = True
    excluded: tuple[str, ...] = ()
    also: str = ""  # another operation, whose answer adds properties


def _job(title: str, cached: Mapping[str, tuple[str, ...]], **members: Any) -> StepResource:
    """Return the resource of a training, processing or transform step."""
    return StepResource(
        create=f"Create{title}Job",
        describe=f"Describe{title}Job",
        stop=f"Stop{title}Job",
        name=f"{title}JobName",
        arn=f"{title}JobArn",
        metadata=f"{title}Job",
        kind=f"{title.lower()}-job",
        status=f"{title}JobStatus",
        cacheable=True,
        cached=cached,
        **members,
    )


def _whole(*members: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(members, ())


# Cached arguments:
# https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html
RESOURCES: Mapping[str, StepResource] = {
    "Processing": _job("Processing", _whole("AppSpecification", "Environment", "ProcessingInputs")),
    "Training": _job(
        "Training",
        _whole(
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ),
    ),
    "Transform": _job(
        "Transform", _whole("DataProcessing", "Environment", "ModelName", "TransformInput")
    ),
    "Tuning": StepResource(
        create="CreateHyperParameterTuningJob",
        describe="DescribeHyperParameterTuningJob",
        stop="StopHyperParameterTuningJob",
        name="HyperParameterTuningJobName",
        arn="HyperParameterTuningJobArn",
        metadata="TuningJob",
        kind="tuning-job",
        status="HyperParameterTuningJobStatus",
        longest=32,  # the API's longest name of a tuning job
        cacheable=True,
        cached={
            **_whole("HyperParameterTuningJobConfig", "TrainingJobDefinitions"),
            "TrainingJobDefinition": (
                "AlgorithmSpecification",
                "HyperParameterRanges",
                "InputDataConfig",
                "StaticHyperParameters",
                "TuningObjective",
            ),
        },
        also="ListTrainingJobsForHyperParameterTuningJob",
    ),
    "Model": StepResource(
        create="CreateModel",
        describe="DescribeModel",
        name="ModelName",
        arn="ModelArn",
        metadata="Model",
    ),
    "RegisterModel": StepResource(
        create="CreateModelPackage",
        describe="DescribeModelPackage",
        name="ModelPackageName",
        arn="ModelPackageArn",
        metadata="RegisterModel",
        # SageMaker numbers the versions of a group, so a version has no name to give.
        excluded=("ModelPackageName",),
    ),
    "EndpointConfig": StepResource(
        create="CreateEndpointConfig",
        describe="DescribeEndpointConfig",
        name="EndpointConfigName",
        arn="EndpointConfigArn",
        metadata="EndpointConfig",
        literal=True,
        cacheable=True,
        retryable=False,
    ),
    "Endpoint": StepResource(
        create="CreateEndpoint",
        describe="DescribeEndpoint",
        name="EndpointName",
        arn="EndpointArn",
        metadata="Endpoint",
        kind="endpoint",
        status="EndpointStatus",
        done="InService",
        running=("Creating", "Updating", "SystemUpdating", "RollingBack"),
        literal=True,
        cacheable=True,
        retryable=False,
    ),
}

# AWS's types of steps whose services the local cloud does not have.
UNSUPPORTED = frozenset(
    {
        "Athena",
        "AutoML",
        "BedrockCustomModel",
        "BedrockCustomModelDeployment",
        "BedrockModelImport",
        "BedrockProvisionedModelThroughput",
        "Callback",
        "ClarifyCheck",
        "Cleanup",
        "DataQualityCheck",
        "EMR",
        "EMRServerless",
        "ForEach",
        "HubContent",
        "InferenceComponent",
        "Job",
        "Lambda",
        "Lineage",
        "MonitorBatchTransform",
        "QualityCheck",
    }
)
