"""Steps of processing jobs, and the requests for these jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.sdk import (
    NetworkConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    Processor,
    PropertyFile,
    StepTypeEnum,
    Tag,
    captured_request,
)
from longspan.pipelines.definition.steps import RequestStep, cached_days, job_retries, tags

__all__ = ["Machine", "processing_request", "processing_step"]

_ROOT = "/opt/ml/processing"


@dataclass(frozen=True)
class Machine:
    """The machines of a processing job, and how long it may run."""

    instance_type: Any
    volume_gb: int
    max_runtime_minutes: int
    count: int = 1


def processing_request(
    context: BuildContext,
    command: str,
    machine: Machine,
    inputs: Mapping[str, Any],
    output: str,
    arguments: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the request for a job that runs `python -m longspan.pipelines.jobs COMMAND`.

    `inputs` are S3 URIs by name. The output goes to a folder of the execution. Each of several
    machines gets a share of the input files.
    """
    aws, target = context.config.aws, context.target
    processor = Processor(
        role=target.role_arn,
        image_uri=target.image_uri,
        instance_count=machine.count,
        instance_type=machine.instance_type,
        entrypoint=["python", "-m", "longspan.pipelines.jobs", command],
        volume_size_in_gb=machine.volume_gb,
        volume_kms_key=aws.kms.volume,
        output_kms_key=aws.kms.output,
        max_runtime_in_seconds=60 * machine.max_runtime_minutes,
        sagemaker_session=context.session,
        tags=[Tag(key=tag["Key"], value=tag["Value"]) for tag in tags(aws)] or None,
        network_config=_network(context),
    )
    steps = processor.run(
        inputs=[_input(name, uri, machine.count > 1) for name, uri in inputs.items()],
        outputs=[_output(context, output)],
        arguments=list(arguments) or None,
    )
    request = captured_request(context.session, steps)
    # SageMaker makes a name for each execution; a step has no experiment.
    request.pop("ProcessingJobName", None)
    request.pop("ExperimentConfig", None)
    return request


def processing_step(
    context: BuildContext,
    name: str,
    request: Mapping[str, Any],
    property_files: Sequence[PropertyFile] = (),
) -> RequestStep:
    """Return a step for the request, with the cache and the retries of the config."""
    aws = context.config.aws
    return RequestStep(
        name,
        StepTypeEnum.PROCESSING,
        request,
        ["DescribeProcessingJobResponse"],
        retries=job_retries(aws.retries),
        cache_days=cached_days(aws),
        property_files=property_files,
    )


def _network(context: BuildContext) -> NetworkConfig | None:
    aws = context.config.aws
    if aws.vpc is None and not aws.network_isolation and not aws.encrypt_traffic:
        return None
    return NetworkConfig(
        enable_network_isolation=aws.network_isolation,
        encrypt_inter_container_traffic=aws.encrypt_traffic,
        security_group_ids=list(aws.vpc.security_groups) if aws.vpc else None,
        subnets=list(aws.vpc.subnets) if aws.vpc else None,
    )


def _input(name: str, uri: Any, sharded: bool) -> ProcessingInput:
    shares = {"s3_data_distribution_type": "ShardedByS3Key"} if sharded else {}
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=uri,
            local_path=f"{_ROOT}/input/{name}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            **shares,
        ),
    )


def _output(context: BuildContext, name: str) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(
            s3_uri=context.run_folder(name),
            local_path=f"{_ROOT}/output/{name}",
            s3_upload_mode="EndOfJob",
        ),
    )
