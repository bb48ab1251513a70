"""What the types of steps create: the operations, and where their answers keep what matters.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["RESOURCES", "UNSUPPORTED", "StepResource"]


@dataclass(frozen=True)
class StepResource:
    """One type of step that makes something, by `create` and `describe` of SageMaker's API.

    `name` is the member of the name in both requests, `arn` that of the ARN in both answers, and
    `metadata` the step's metadata that shows it. What runs has a `kind` of document, whose
    `status` becomes `done` or another word that is not in `running`. `literal`: the name is taken
    as it is given; otherwise it is the beginning of one that is made up, of at most `longest`
    characters. `cached` are the arguments that a cached result must share; none: all of them.
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
    also: str = ""  # another operation whose answer's members are properties too


def _job(title: str, cached: Mapping[str, tuple[str, ...]], **members: Any) -> StepResource:
    """Training, processing and transform jobs are alike."""
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


# The attributes are from
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
        longest=32,
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

# Of AWS's types of steps, those whose services the local cloud does not have.
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
