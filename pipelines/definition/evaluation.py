"""The step Evaluate: quality of the tuned model and of the baseline by sentence length."""

from typing import Any

from longspan.pipelines.config.delivery import EvaluationSection
from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.processing import (
    Machine,
    processing_request,
    processing_step,
)
from longspan.pipelines.definition.sdk import JsonGet, PropertyFile
from longspan.pipelines.definition.steps import RequestStep
from longspan.pipelines.jobs.channels import BASELINE, EVALUATION, MODEL, PREPARED
from longspan.training.bleu_tokenizers import AUTO

__all__ = ["evaluate_arguments", "evaluate_step", "figure", "output_uri"]

_STEP = "Evaluate"
_FILE = PropertyFile(name="Evaluation", output_name=EVALUATION, path="evaluation.json")


def evaluate_step(
    context: BuildContext, prepared: Any, model: Any, baseline: Any | None
) -> RequestStep:
    """Return the step that compares the models on the test split of the prepared data.

    `prepared`, `model` and `baseline` are S3 URIs of the data and of the models' archives.
    """
    config = context.config
    evaluation = config.evaluation
    inputs = {MODEL: model, BASELINE: baseline, PREPARED: prepared}
    request = processing_request(
        context,
        "evaluate",
        Machine(
            context.parameters.evaluate_instance,
            evaluation.volume_gb,
            evaluation.max_runtime_minutes,
        ),
        {name: uri for name, uri in inputs.items() if uri is not None},
        EVALUATION,
        [*evaluate_arguments(context), *_document_arguments(evaluation)],
    )
    return processing_step(context, _STEP, request, [_FILE])


def evaluate_arguments(context: BuildContext) -> list[Any]:
    """Return options of the job: languages, words of BLEU, the least BLEU with a share kept."""
    data, tokenizer = context.config.data, context.config.evaluation.bleu_tokenizer
    return [
        "--source-language",
        data.source_language,
        "--target-language",
        data.target_language,
        "--least-bleu",
        # The parameter is a number; SageMaker accepts only strings as arguments.
        context.parameters.minimums["minimum_bleu_short"].to_string(),
        *([] if tokenizer == AUTO else ["--tokenize", tokenizer]),
    ]


def _document_arguments(evaluation: EvaluationSection) -> list[str]:
    if not evaluation.documents:
        return []
    sizes = [word for size in evaluation.group_words for word in ("--group-words", str(size))]
    return ["--documents", *sizes]


def figure(name: str) -> JsonGet:
    """Return the figure `name` of `evaluation.json`'s `gate`, for conditions and messages."""
    return JsonGet(step_name=_STEP, property_file=_FILE, json_path=f"gate.{name}")


def output_uri(step: RequestStep) -> Any:
    """Return the S3 URI of the evaluation's files."""
    return step.properties.ProcessingOutputConfig.Outputs[EVALUATION].S3Output.S3Uri
