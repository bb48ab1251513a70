"""The whole pipeline: Prepare, Tune and TrainBaseline, Evaluate, the gate, Register, deployment."""

import json
from typing import Any

from longspan.pipelines.config import Config
from longspan.pipelines.definition.context import BuildContext
from longspan.pipelines.definition.deployment import deployment_steps
from longspan.pipelines.definition.evaluation import evaluate_step, output_uri
from longspan.pipelines.definition.gate import deploy_step, gate_steps, release_step
from longspan.pipelines.definition.parameters import Parameters
from longspan.pipelines.definition.preparation import collect_step, prepare_step
from longspan.pipelines.definition.registration import register_step
from longspan.pipelines.definition.sdk import (
    Pipeline,
    PipelineDefinitionConfig,
    offline_session,
    quiet,
    unchecked_defaults,
)
from longspan.pipelines.definition.steps import RequestStep
from longspan.pipelines.definition.target import Target
from longspan.pipelines.definition.training import baseline_step
from longspan.pipelines.definition.tuning import best_job, best_model, tune_step
from longspan.pipelines.jobs.channels import COLLECTED, PREPARED

__all__ = ["build_pipeline", "definition_json"]


def build_pipeline(config: Config, target: Target) -> Pipeline:
    """Return the pipeline as an object of the SDK, without asking AWS anything."""
    with quiet(target.region), unchecked_defaults():
        session = offline_session(target.region, target.bucket)
        context = BuildContext(config, target, Parameters.of(config, target), session)
        return Pipeline(
            name=config.name,
            parameters=list(context.parameters),
            steps=_steps(context),
            sagemaker_session=session,
            pipeline_experiment_config=None,
            # Without this the SDK drops the names that steps give from their requests.
            pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=True),
        )


def definition_json(config: Config, target: Target) -> str:
    """Return the definition for AWS, as JSON; equal configs and targets give equal bytes."""
    pipeline = build_pipeline(config, target)
    with quiet(target.region), unchecked_defaults():
        definition = json.loads(pipeline.definition())
    # The SDK writes null for parts that a pipeline does not have.
    parts = {name: part for name, part in definition.items() if part is not None}
    return json.dumps(parts, ensure_ascii=False)


def _steps(context: BuildContext) -> list[Any]:
    # [Collect ->] Prepare -> Tune           -> Evaluate -> Gate... -> Release -> Deploy
    #                      -> TrainBaseline ->
    # SageMaker orders steps by their references to properties of other steps.
    first = _first_steps(context)
    prepare = first[-1]
    prepared = prepare.properties.ProcessingOutputConfig.Outputs[PREPARED].S3Output.S3Uri
    prepare_job = prepare.properties.ProcessingJobName
    tune = tune_step(context, prepared, prepare_job)
    steps, baseline = [*first, tune], None
    if context.config.baseline.enabled:
        train = baseline_step(context, prepared, prepare_job)
        baseline = train.properties.ModelArtifacts.S3ModelArtifacts
        steps.append(train)
    evaluate = evaluate_step(context, prepared, best_model(context, tune), baseline)
    steps.append(evaluate)
    return [*steps, *gate_steps(context), *_release(context, tune, prepared, evaluate)]


def _first_steps(context: BuildContext) -> list[RequestStep]:
    """Return Prepare, after Collect if several machines read the pairs."""
    if context.config.preparation.instance_count == 1:
        return [prepare_step(context)]
    collect = collect_step(context)
    collected = collect.properties.ProcessingOutputConfig.Outputs[COLLECTED].S3Output.S3Uri
    return [collect, prepare_step(context, collected)]


def _release(
    context: BuildContext, tune: RequestStep, prepared: Any, evaluate: RequestStep
) -> list[Any]:
    """Return the steps that register and deploy a model that passes the gate."""
    register = register_step(
        context, best_model(context, tune), best_job(tune), prepared, output_uri(evaluate)
    )
    steps = [release_step(context, [register])]
    if context.config.endpoint.enabled:
        deployed = deployment_steps(context, register.properties.ModelPackageArn)
        steps.append(deploy_step(context, deployed))
    return steps
