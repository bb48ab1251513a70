"""The study as one pipeline: parallel training jobs, each with its own evaluation."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.definition import Target
from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.evaluation import evaluate_arguments
from longspan.pipelines.definition.parameters import Parameters
from longspan.pipelines.definition.preparation import prepare_arguments
from longspan.pipelines.definition.processing import (
    Machine,
    processing_request,
    processing_step,
)
from longspan.pipelines.definition.sdk import (
    Pipeline,
    PipelineDefinitionConfig,
    StepTypeEnum,
    captured_request,
    offline_session,
    quiet,
    unchecked_defaults,
)
from longspan.pipelines.definition.steps import RequestStep, cached_days, job_retries
from longspan.pipelines.definition.training import trainer
from longspan.pipelines.jobs.channels import EVALUATION, MODEL, PAIRS, PREPARED
from longspan.pipelines.study.budget import Budget
from longspan.pipelines.study.courses import Course, courses
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.metrics import metric_definitions

__all__ = ["Study", "evaluate_step_name", "study_json"]


@dataclass(frozen=True)
class Study:
    """Options of a study: the budget of each job, and the seeds of each course.

    `threads` is the number of CPU threads of a job, for jobs that share a machine; None leaves it
    to the job.
    """

    budget: Budget
    seeds: Sequence[int] = (1, 2, 3)
    threads: int | None = None


def evaluate_step_name(course: str, seed: int) -> str:
    """Return the name of the step that evaluates one model."""
    return f"Evaluate-{course}-{seed}"


def study_json(config: Config, target: Target, study: Study) -> str:
    """Return the definition as JSON; equal config, target and study give equal bytes."""
    with quiet(target.region), unchecked_defaults():
        session = offline_session(target.region, target.bucket)
        context = BuildContext(config, target, Parameters.of(config, target), session)
        pipeline = Pipeline(
            name=config.name,
            parameters=list(_parameters(context.parameters)),
            steps=list(_steps(context, study)),
            sagemaker_session=session,
            pipeline_experiment_config=None,
            pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=True),
        )
        definition = json.loads(pipeline.definition())
    parts = {name: part for name, part in definition.items() if part is not None}
    return json.dumps(parts, ensure_ascii=False)


def _parameters(parameters: Parameters) -> Iterator[Any]:
    """Return the parameters that the study uses."""
    used = (
        parameters.pairs, parameters.validation, parameters.test, parameters.prepare_instance,
        parameters.training_instance, parameters.evaluate_instance,
        parameters.minimums["minimum_bleu_short"],
    )  # fmt: skip
    return (parameter for parameter in used if parameter is not None)


def _steps(context: BuildContext, study: Study) -> Iterator[RequestStep]:
    # Prepare        -> Train-COURSE-SEED -> Evaluate-COURSE-SEED, for each course and seed
    # PrepareNgrams  -> Train-ngrams-SEED -> Evaluate-ngrams-SEED
    found = courses(context.config)
    prepare = {ngrams: _prepare(context, ngrams) for ngrams in (False, True)}
    yield from prepare.values()
    for seed in study.seeds:
        for course in found:
            prepared = _output(prepare[course.ngrams], PREPARED)
            train = _train(context, study, course, seed, prepared)
            yield train
            model = train.properties.ModelArtifacts.S3ModelArtifacts
            yield _evaluate(context, course, seed, model, prepared)


def _prepare(context: BuildContext, ngrams: bool) -> RequestStep:
    name, config = "Prepare", context.config
    if ngrams:
        name = "PrepareNgrams"
        # The vocabulary holds phrases beside words, so it needs more entries.
        given = config.preparation.vocabulary_size
        size = None if given is None else 2 * given
        changes = {"vocabulary_type": "ngram", "vocabulary_size": size}
        config = config.model_copy(
            update={"preparation": config.preparation.model_copy(update=changes)}
        )
    preparation, parameters = config.preparation, context.parameters
    inputs = {
        PAIRS: parameters.pairs,
        "validation": parameters.validation,
        "test": parameters.test,
    }
    machine = Machine(
        parameters.prepare_instance, preparation.volume_gb, preparation.max_runtime_minutes
    )
    request = processing_request(
        # Two preparations of one execution need two folders.
        replace(context, folder=name),
        "prepare",
        machine,
        {name: uri for name, uri in inputs.items() if uri is not None},
        PREPARED,
        prepare_arguments(config),
    )
    return processing_step(context, name, request)


def _train(
    context: BuildContext, study: Study, course: Course, seed: int, prepared: Any
) -> RequestStep:
    limits = study.budget.hyperparameters(course)
    # The limits of the study replace those of the config.
    # All others have their defaults: a job chooses what it is not given, but courses differ only as
    # they say.
    defaults = Hyperparameters.defaults()
    hyperparameters = {**defaults, **course.hyperparameters, **limits, "seed": seed}
    job = trainer(_with_threads(context, study.threads), hyperparameters, prepared, None)
    request = captured_request(context.session, job.train(wait=False, logs=False))
    request.pop("TrainingJobName", None)
    specification = {**request["AlgorithmSpecification"], "MetricDefinitions": metric_definitions()}
    request["AlgorithmSpecification"] = specification
    return RequestStep(
        f"Train-{course.name}-{seed}",
        StepTypeEnum.TRAINING,
        request,
        ["DescribeTrainingJobResponse"],
        retries=job_retries(context.config.aws.retries),
        cache_days=cached_days(context.config.aws),
    )


def _with_threads(context: BuildContext, threads: int | None) -> BuildContext:
    """Return the context with OMP_NUM_THREADS set, for jobs that share the cores of a machine."""
    if threads is None:
        return context
    training = context.config.training
    # A value in the config wins.
    variables = {"OMP_NUM_THREADS": str(threads), **training.variables}
    training = training.model_copy(update={"variables": variables})
    return replace(context, config=context.config.model_copy(update={"training": training}))


def _evaluate(
    context: BuildContext, course: Course, seed: int, model: Any, prepared: Any
) -> RequestStep:
    config = context.config
    evaluation, name = config.evaluation, evaluate_step_name(course.name, seed)
    machine = Machine(
        context.parameters.evaluate_instance, evaluation.volume_gb, evaluation.max_runtime_minutes
    )
    request = processing_request(
        replace(context, folder=name),
        "evaluate",
        machine,
        {MODEL: model, PREPARED: prepared},
        EVALUATION,
        evaluate_arguments(context),
    )
    return processing_step(context, name, request)


def _output(step: RequestStep, name: str) -> Any:
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri
