"""Training jobs of the pipeline, and the step TrainBaseline."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from longspan.pipelines.config.training import as_strings
from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.sdk import (
    Channel,
    CheckpointConfig,
    Compute,
    DataSource,
    Join,
    ModelTrainer,
    Networking,
    OutputDataConfig,
    S3DataSource,
    StepTypeEnum,
    StoppingCondition,
    Tag,
    captured_request,
)
from longspan.pipelines.definition.steps import RequestStep, cached_days, job_retries, tags
from longspan.pipelines.jobs.channels import PREPARED
from longspan.training.bleu_tokenizers import AUTO
from longspan.training.loop.metrics import metric_definitions

__all__ = ["baseline_step", "job_model_uri", "trainer"]

_MODELS = "models"


def trainer(
    context: BuildContext, hyperparameters: Mapping[str, Any], prepared: Any, checkpoints: Any
) -> ModelTrainer:
    """Return the SDK's object for a training job of the image.

    `prepared` and `checkpoints` are S3 URIs; without `checkpoints` none are mirrored.
    """
    config, target = context.config, context.target
    hyperparameters = {**_measured(context), **hyperparameters}
    training, aws = config.training, config.aws
    return ModelTrainer(
        training_image=target.image_uri,
        role=target.role_arn,
        base_job_name=config.name,
        compute=Compute(
            instance_type=context.parameters.training_instance,
            instance_count=training.instance_count,
            volume_size_in_gb=training.volume_gb,
            volume_kms_key_id=aws.kms.volume,
            enable_managed_spot_training=training.spot,
        ),
        networking=_networking(context),
        stopping_condition=StoppingCondition(
            max_runtime_in_seconds=60 * training.max_runtime_minutes,
            # SageMaker refuses a waiting time for machines that are not spot machines.
            max_wait_time_in_seconds=60 * training.max_wait if training.spot else None,
        ),
        # One folder for all jobs: each writes below its own name, which is unique.
        output_data_config=OutputDataConfig(
            s3_output_path=f"{context.place}/{_MODELS}", kms_key_id=aws.kms.output
        ),
        input_data_config=[_channel(prepared)],
        checkpoint_config=CheckpointConfig(s3_uri=checkpoints) if checkpoints else None,
        environment=dict(sorted(training.variables.items())),
        hyperparameters=dict(sorted(as_strings(hyperparameters).items())),
        tags=[Tag(key=tag["Key"], value=tag["Value"]) for tag in tags(aws)] or None,
        sagemaker_session=context.session,
    )


def baseline_step(context: BuildContext, prepared: Any, prepare_job: Any) -> RequestStep:
    """Return the step that trains the model to compare the tuned one with.

    `prepared` is an S3 URI; `prepare_job` is the name of the job that prepared the data.
    """
    config = context.config
    hyperparameters = {**_measured(context), **config.baseline_hyperparameters}
    checkpoints = None
    if config.training.keeps_checkpoints:
        # Equal data and settings give an equal folder, so that retries resume and the cache hits.
        values = [f"{context.place}/checkpoints", prepare_job, _hash(hyperparameters)]
        checkpoints = Join(on="/", values=values)
    job = trainer(context, hyperparameters, prepared, checkpoints)
    request = captured_request(context.session, job.train(wait=False, logs=False))
    # A fixed name would be taken after the first execution; SageMaker makes one instead.
    request.pop("TrainingJobName", None)
    request["AlgorithmSpecification"] = {
        **request["AlgorithmSpecification"],
        "MetricDefinitions": metric_definitions(),
    }
    return RequestStep(
        "TrainBaseline",
        StepTypeEnum.TRAINING,
        request,
        ["DescribeTrainingJobResponse"],
        retries=job_retries(config.aws.retries),
        cache_days=cached_days(config.aws),
    )


def job_model_uri(context: BuildContext, job: Any) -> Any:
    """Return the S3 URI of the model archive of the training job `job`."""
    values = [f"{context.place}/{_MODELS}", job, "output", "model.tar.gz"]
    return Join(on="/", values=values)


def _channel(uri: Any) -> Channel:
    source = S3DataSource(
        s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type="FullyReplicated"
    )
    return Channel(channel_name=PREPARED, data_source=DataSource(s3_data_source=source))


def _networking(context: BuildContext) -> Networking | None:
    aws = context.config.aws
    if aws.vpc is None and not aws.network_isolation and not aws.encrypt_traffic:
        return None
    return Networking(
        subnets=list(aws.vpc.subnets) if aws.vpc else None,
        security_group_ids=list(aws.vpc.security_groups) if aws.vpc else None,
        enable_network_isolation=aws.network_isolation,
        enable_inter_container_traffic_encryption=aws.encrypt_traffic,
    )


def _measured(context: BuildContext) -> dict[str, str]:
    """Return the hyperparameter that makes validation count words as the Evaluate step does."""
    tokenizer = context.config.evaluation.bleu_tokenizer
    return {} if tokenizer == AUTO else {"bleu_tokenizer": tokenizer}


def _hash(hyperparameters: Mapping[str, Any]) -> str:
    text = json.dumps(as_strings(hyperparameters), sort_keys=True)
    return f"baseline-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
