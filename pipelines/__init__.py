"""The `longspan` command and the SageMaker Pipeline. Importing it does not import torch.

It imports `inference` and `training`. The names below are its public interface (docs/api.md).
"""

from typing import TYPE_CHECKING

from longspan.training.exports import lazy_exports

if TYPE_CHECKING:
    from longspan.pipelines.cloud.aws_errors import AwsError
    from longspan.pipelines.cloud.connection import CloudConnection, connect_aws, open_local
    from longspan.pipelines.config import (
        Config,
        ConfigError,
        load_config,
        load_config_or_sample,
        parse_config,
    )
    from longspan.pipelines.definition import Target, build_pipeline, definition_json
    from longspan.pipelines.jobs.model_training import ModelTraining
    from longspan.pipelines.runs.execution import ExecutionState, StepState
    from longspan.pipelines.runs.pipeline_run import PipelineRun
    from longspan.pipelines.runs.results import EvaluationResults
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "cloud.aws_errors": ["AwsError"],
            "cloud.connection": ["CloudConnection", "connect_aws", "open_local"],
            "config": [
                "Config",
                "ConfigError",
                "load_config",
                "load_config_or_sample",
                "parse_config",
            ],
            "definition": ["Target", "build_pipeline", "definition_json"],
            "jobs.model_training": ["ModelTraining"],
            "runs.execution": ["ExecutionState", "StepState"],
            "runs.pipeline_run": ["PipelineRun"],
            "runs.results": ["EvaluationResults"],
        },
    )

__all__ = [
    "AwsError",
    "CloudConnection",
    "Config",
    "ConfigError",
    "EvaluationResults",
    "ExecutionState",
    "ModelTraining",
    "PipelineRun",
    "StepState",
    "Target",
    "build_pipeline",
    "connect_aws",
    "definition_json",
    "load_config",
    "load_config_or_sample",
    "open_local",
    "parse_config",
]
