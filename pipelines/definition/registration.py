"""The step Register: the tuned model as a version in the registry, with what was measured.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
"""

import hashlib
import json
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.evaluation import figure
from longspan.pipelines.definition.sdk import ExecutionVariables, Join, StepTypeEnum
from longspan.pipelines.definition.steps import RequestStep, service_retries

__all__ = ["config_hash", "register_step"]

# What the server takes and gives: docs/serving.md.
_TYPES = ["application/json", "application/jsonlines", "text/csv", "text/plain"]


def register_step(
    context: BuildContext, model: Any, job: Any, prepared: Any, evaluation: Any
) -> RequestStep:
    """Of the tuned model's archive and its training job, the data's and the evaluation's URIs."""
    config = context.config
    request = {
        "ModelPackageGroupName": config.group,
        "ModelPackageDescription": f"{config.data.source_language} to "
        f"{config.data.target_language}, tuned for sentences of more than 100 words",
        "ModelApprovalStatus": context.parameters.approval,
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": context.target.image_uri,
                    "ModelDataUrl": model,
                    "Environment": _environment(config),
                }
            ],
            "SupportedContentTypes": _TYPES,
            "SupportedResponseMIMETypes": _TYPES,
        },
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": _file(evaluation, "evaluation.json", "application/json")
            },
            "Explainability": {"Report": _file(evaluation, "report.html", "text/html")},
        },
        "CustomerMetadataProperties": {
            "config_sha256": config_hash(config),
            "pairs": context.parameters.pairs,
            "prepared": prepared,
            "training_job": job,
            "execution": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            # Properties are text.
            "bleu_long": Join(on="", values=[figure("bleu_long")]),
            "bleu_short": Join(on="", values=[figure("bleu_short")]),
        },
    }
    return RequestStep(
        "Register",
        StepTypeEnum.REGISTER_MODEL,
        request,
        ["DescribeModelPackageOutput"],
        retries=service_retries(config.aws.retries),
    )


def _environment(config: Config) -> dict[str, str]:
    """Of the container that serves: it ends sentences as the source language does."""
    own = {"LONGSPAN_LANGUAGE": config.data.source_language}
    return dict(sorted({**own, **config.endpoint.variables}.items()))


def config_hash(config: Config) -> str:
    """Of all that the config says, whatever order and comments its file has."""
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _file(folder: Any, name: str, kind: str) -> dict[str, Any]:
    return {"ContentType": kind, "S3Uri": Join(on="/", values=[folder, name])}
