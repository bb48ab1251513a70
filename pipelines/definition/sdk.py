"""SageMaker's Python SDK (v3), imported in one place and kept quiet.

Importing it needs a region though nothing is asked of it, and its classes check roles, send
telemetry and read defaults from the user's files: none of that belongs to a definition, which
must come out the same everywhere and without a network. What it needs to keep still stands in
the environment only while it is imported or called.
"""

import contextlib
import functools
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3

__all__ = [
    "CategoricalParameter",
    "Channel",
    "CheckpointConfig",
    "Compute",
    "ConditionEquals",
    "ConditionGreaterThanOrEqualTo",
    "ConditionLessThan",
    "ConditionOr",
    "ConditionStep",
    "ConfigurableRetryStep",
    "ContinuousParameter",
    "DataSource",
    "ExecutionVariables",
    "FailStep",
    "HyperParameterTuningJobStrategyConfig",
    "HyperParameterTuningJobWarmStartConfig",
    "HyperbandStrategyConfig",
    "HyperparameterTuner",
    "IntegerParameter",
    "Join",
    "JsonGet",
    "ModelTrainer",
    "NetworkConfig",
    "Networking",
    "OutputDataConfig",
    "ParameterFloat",
    "ParameterInteger",
    "ParameterString",
    "ParentHyperParameterTuningJob",
    "Pipeline",
    "PipelineDefinitionConfig",
    "PipelineSession",
    "ProcessingInput",
    "ProcessingOutput",
    "ProcessingS3Input",
    "ProcessingS3Output",
    "Processor",
    "Properties",
    "PropertyFile",
    "S3DataSource",
    "SageMakerJobExceptionTypeEnum",
    "SageMakerJobStepRetryPolicy",
    "StepExceptionTypeEnum",
    "StepRetryPolicy",
    "StepTypeEnum",
    "StoppingCondition",
    "Tag",
    "captured",
    "known_defaults",
    "offline_session",
    "quiet",
]

# The SDK's own file of defaults: with it, the user's are not read, and nothing is reported home.
DEFAULTS: Mapping[str, Any] = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}


@contextlib.contextmanager
def quiet(region: str = "us-east-1") -> Iterator[None]:
    """While this lasts, the SDK finds a region, our defaults, and no reason to ask AWS."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # "Running within a PipelineSession": as meant; the rest concerns the SDK's own modules.
        warnings.simplefilter("ignore")
        file = Path(folder) / "config.yaml"
        file.write_text(json.dumps(DEFAULTS), encoding="utf-8")
        # The second has a level of its own.
        loggers = [logging.getLogger(name) for name in ("sagemaker", "sagemaker.config")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            with _variables(
                {
                    "AWS_DEFAULT_REGION": region,
                    "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(file),
                    "SAGEMAKER_USER_CONFIG_OVERRIDE": str(file),
                    # Else ModelTrainer asks IAM what the role may do.
                    "SAGEMAKER_VALIDATE_ROLE": "false",
                }
            ):
                yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextlib.contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


with quiet():
    from sagemaker.core.config.config_manager import SageMakerConfig
    from sagemaker.core.network import NetworkConfig
    from sagemaker.core.parameter import (
        CategoricalParameter,
        ContinuousParameter,
        IntegerParameter,
    )
    from sagemaker.core.processing import Processor
    from sagemaker.core.shapes import (
        Channel,
        DataSource,
        HyperbandStrategyConfig,
        HyperParameterTuningJobStrategyConfig,
        HyperParameterTuningJobWarmStartConfig,
        ParentHyperParameterTuningJob,
        ProcessingInput,
        ProcessingOutput,
        ProcessingS3Input,
        ProcessingS3Output,
        S3DataSource,
        Tag,
    )
    from sagemaker.core.training.configs import (
        CheckpointConfig,
        Compute,
        Networking,
        OutputDataConfig,
        StoppingCondition,
    )
    from sagemaker.core.workflow.conditions import (
        ConditionEquals,
        ConditionGreaterThanOrEqualTo,
        ConditionLessThan,
        ConditionOr,
    )
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.core.workflow.parameters import (
        ParameterFloat,
        ParameterInteger,
        ParameterString,
    )
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
    from sagemaker.core.workflow.properties import Properties, PropertyFile
    from sagemaker.core.workflow.utilities import execute_job_functions
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.mlops.workflow.steps import ConfigurableRetryStep, StepTypeEnum
    from sagemaker.train import ModelTrainer
    from sagemaker.train.tuner import HyperparameterTuner


@contextlib.contextmanager
def known_defaults() -> Iterator[None]:
    """While this lasts, the SDK does not check `DEFAULTS` against its schema.

    It would do so dozens of times for one definition, which took nine tenths of the time.
    """
    check = SageMakerConfig.validate_sagemaker_config
    SageMakerConfig.validate_sagemaker_config = staticmethod(lambda *_: None)
    try:
        yield
    finally:
        SageMakerConfig.validate_sagemaker_config = staticmethod(check)


@functools.cache
def offline_session(region: str, bucket: str) -> PipelineSession:
    """A session that only captures requests. Its credentials are no one's: it never signs one.

    To make one takes nine tenths of the time of a definition, and it keeps nothing of what it
    captured.
    """
    boto_session = boto3.Session("offline", "offline", region_name=region)
    return PipelineSession(
        boto_session=boto_session, default_bucket=bucket, sagemaker_config=dict(DEFAULTS)
    )


def captured(session: PipelineSession, step_arguments: Any) -> dict[str, Any]:
    """The request that `Processor.run`, `ModelTrainer.train` or `HyperparameterTuner.tune` would
    send, as these hand it to a pipeline's session.
    """
    execute_job_functions(step_arguments)
    return dict(session.context.args)
