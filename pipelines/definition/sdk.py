"""SageMaker's Python SDK (v3), imported in one place and kept off the network.

Importing the SDK needs a region, and its classes check roles, send telemetry and read defaults
from the user's files. A definition must not depend on any of that. `quiet` sets environment
variables that prevent it, only while the SDK is imported or called.
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
    "captured_request",
    "offline_session",
    "quiet",
    "unchecked_defaults",
]

# Contents of the SDK's file of defaults: in place of the user's, and without telemetry.
DEFAULTS: Mapping[str, Any] = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}


@contextlib.contextmanager
def quiet(region: str = "us-east-1") -> Iterator[None]:
    """Give the SDK a region and `DEFAULTS` within the context, and no reason to ask AWS."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # One warning is on PipelineSession, which is intended; others are on the SDK's modules.
        warnings.simplefilter("ignore")
        file = Path(folder) / "config.yaml"
        file.write_text(json.dumps(DEFAULTS), encoding="utf-8")
        # The second logger has a level of its own.
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
                    # Without this ModelTrainer asks IAM for the rights of the role.
                    "SAGEMAKER_VALIDATE_ROLE": "false",
                    # Without this an import asks the machine for credentials.
                    "AWS_EC2_METADATA_DISABLED": "true",
                    # The user's profile and files may be absent or wrong.
                    "AWS_PROFILE": None,
                    "AWS_DEFAULT_PROFILE": None,
                    "AWS_CONFIG_FILE": os.devnull,
                    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                }
            ):
                yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextlib.contextmanager
def _variables(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables of the environment within the context, and unset those that are None."""
    before = {name: os.environ.get(name) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
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
def unchecked_defaults() -> Iterator[None]:
    """Keep the SDK from checking `DEFAULTS` against its schema within the context.

    It checks them dozens of times per definition, which takes nine tenths of the time.
    """
    check = SageMakerConfig.validate_sagemaker_config
    SageMakerConfig.validate_sagemaker_config = staticmethod(lambda *_: None)
    try:
        yield
    finally:
        # The class returned the plain function of its static method: wrap it again.
        SageMakerConfig.validate_sagemaker_config = staticmethod(check)


@functools.cache
def offline_session(region: str, bucket: str) -> PipelineSession:
    """Return a session that captures requests and sends none; its credentials are made up.

    It is cached, because creating one takes most of the time of a definition. It keeps no state
    between definitions.
    """
    boto_session = boto3.Session("offline", "offline", region_name=region)
    return PipelineSession(
        boto_session=boto_session, default_bucket=bucket, sagemaker_config=dict(DEFAULTS)
    )


def captured_request(session: PipelineSession, step_arguments: Any) -> dict[str, Any]:
    """Return the request that `run`, `train` or `tune` of the SDK would send.

    `step_arguments` is the value that these methods return within a pipeline's session.
    """
    # A pipeline's session postpones the call. This makes it, and the session keeps the request
    # instead of sending it.
    execute_job_functions(step_arguments)
    return dict(session.context.args)
