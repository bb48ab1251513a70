"""The step Tune: a search over the attention hyperparameters; each trial is a training job.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning.html
"""

from collections.abc import Mapping
from typing import Any

from longspan.pipelines.config.search_space import Choices, Range, is_integer
from longspan.pipelines.config.training import as_strings
from longspan.pipelines.config.tuning import TuningSection
from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.sdk import (
    CategoricalParameter,
    ContinuousParameter,
    HyperbandStrategyConfig,
    HyperparameterTuner,
    HyperParameterTuningJobStrategyConfig,
    HyperParameterTuningJobWarmStartConfig,
    IntegerParameter,
    Join,
    ParentHyperParameterTuningJob,
    StepTypeEnum,
    captured_request,
)
from longspan.pipelines.definition.steps import RequestStep, cached_days, tuning_retries
from longspan.pipelines.definition.training import job_model_uri, trainer
from longspan.training.loop.metrics import metric_definitions

__all__ = ["best_job", "best_model", "tune_step"]


def tune_step(context: BuildContext, prepared: Any, prepare_job: Any) -> RequestStep:
    """Return the step that searches for the best hyperparameters.

    `prepared` is an S3 URI; `prepare_job` is the name of the job that prepared the data.
    """
    config = context.config
    checkpoints = None
    if config.training.keeps_checkpoints:
        # SageMaker adds a folder for each training job.
        checkpoints = Join(on="/", values=[f"{context.place}/checkpoints", prepare_job, "tuning"])
    job = trainer(context, config.training.hyperparameters, prepared, checkpoints)
    tuner = _tuner(config.tuning, job)
    request = captured_request(context.session, tuner.tune(wait=False))
    # A fixed name would be taken after the first execution; SageMaker makes one instead.
    request.pop("HyperParameterTuningJobName", None)
    given = request["TrainingJobDefinition"]
    request["TrainingJobDefinition"] = {**given, **_lost(context, given)}
    limits = request["HyperParameterTuningJobConfig"]["ResourceLimits"]
    if config.tuning.max_runtime_minutes is not None:
        limits["MaxRuntimeInSeconds"] = 60 * config.tuning.max_runtime_minutes
    return RequestStep(
        "Tune",
        StepTypeEnum.TUNING,
        request,
        [
            "DescribeHyperParameterTuningJobResponse",
            "ListTrainingJobsForHyperParameterTuningJobResponse",
        ],
        retries=tuning_retries(config.aws.retries),
        cache_days=cached_days(config.aws),
    )


def best_job(step: RequestStep) -> Any:
    """Return the name of the best training job."""
    return step.properties.BestTrainingJob.TrainingJobName


def best_model(context: BuildContext, step: RequestStep) -> Any:
    """Return the S3 URI of the model archive of the best training job."""
    return job_model_uri(context, best_job(step))


def _tuner(tuning: TuningSection, job: Any) -> HyperparameterTuner:
    return HyperparameterTuner(
        model_trainer=job,
        objective_metric_name=tuning.objective,
        objective_type=tuning.goal,
        hyperparameter_ranges={
            name: _range(name, values) for name, values in sorted(tuning.search_space.items())
        },
        # Repeated here, because the SDK's tuner ignores those of its trainer.
        metric_definitions=metric_definitions(),
        strategy=tuning.strategy,
        strategy_config=_strategy(tuning),
        max_jobs=tuning.number_of_jobs,
        max_parallel_jobs=tuning.parallel_jobs,
        early_stopping_type="Auto" if tuning.early_stopping else "Off",
        warm_start_config=_warm_start(tuning),
        random_seed=tuning.seed,
    )


def _range(name: str, values: Choices | Range) -> Any:
    if isinstance(values, list):
        # Strings as jobs read them: `true` and `none`, not Python's `True` and `None`.
        return CategoricalParameter([as_strings({name: value})[name] for value in values])
    if is_integer(name):
        return IntegerParameter(int(values.min), int(values.max), scaling_type=values.scaling)
    return ContinuousParameter(float(values.min), float(values.max), scaling_type=values.scaling)


def _strategy(tuning: TuningSection) -> HyperParameterTuningJobStrategyConfig | None:
    if tuning.hyperband is None:
        return None
    return HyperParameterTuningJobStrategyConfig(
        hyperband_strategy_config=HyperbandStrategyConfig(
            min_resource=tuning.hyperband.min_resource, max_resource=tuning.hyperband.max_resource
        )
    )


def _warm_start(tuning: TuningSection) -> HyperParameterTuningJobWarmStartConfig | None:
    if tuning.warm_start is None:
        return None
    return HyperParameterTuningJobWarmStartConfig(
        warm_start_type=tuning.warm_start.type,
        parent_hyper_parameter_tuning_jobs=[
            ParentHyperParameterTuningJob(hyper_parameter_tuning_job_name=name)
            for name in tuning.warm_start.parents
        ],
    )


def _lost(context: BuildContext, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return retries, which the SDK's tuner lacks, and members that it drops from its trainer."""
    aws = context.config.aws
    members: dict[str, Any] = {"RetryStrategy": {"MaximumRetryAttempts": aws.retries.attempts}}
    if aws.kms.volume is not None:
        members["ResourceConfig"] = {
            **definition["ResourceConfig"],
            "VolumeKmsKeyId": aws.kms.volume,
        }
    if aws.network_isolation:
        members["EnableNetworkIsolation"] = True
    if aws.encrypt_traffic:
        members["EnableInterContainerTrafficEncryption"] = True
    return members
