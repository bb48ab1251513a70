"""The step Register: the tuned model as a version in the registry, with its evaluation.

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

# Content types that the server reads and writes: docs/serving.md.
_TYPES = ["application/json", "application/jsonlines", "text/csv", "text/plain"]


def register_step(
    context: BuildContext, model: Any, job: Any, prepared: Any, evaluation: Any
) -> RequestStep:
    """Return the step that registers the archive `model` of the training job `job`.

    `prepared` and `evaluation` are S3 URIs of the data and of the evaluation's files.
    """
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
        # Lineage: what this version was made from, for people who look at the registry.
        "CustomerMetadataProperties": {
            "config_sha256": config_hash(config),
            "pairs": context.parameters.pairs,
            "prepared": prepared,
            "training_job": job,
            "execution": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            # Values of metadata must be strings.
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
    """Return the variables of the serving container, which splits text by source language."""
    own = {"LONGSPAN_LANGUAGE": config.data.source_language}
    # Sorted, since equal configs must give equal definitions.
    return dict(sorted({**own, **config.endpoint.variables}.items()))


def config_hash(config: Config) -> str:
    """Return the SHA-256 of all values of the config; order and comments do not count."""
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _file(folder: Any, name: str, kind: str) -> dict[str, Any]:
    return {"ContentType": kind, "S3Uri": Join(on="/", values=[folder, name])}
