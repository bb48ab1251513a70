"""Run the pipeline: prepare, tune, evaluate by length, gate, register, deploy, translate.

The pipeline runs on a local cloud on this machine, with `--aws` on AWS. After a stop or a failure
the same command continues where the run ended. Steps whose input has not changed do not run again.
"""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from longspan.pipelines.cloud.options import add_config_argument, add_where_arguments
from longspan.pipelines.estimate.dry_run import add_dry_run_arguments, refuse_json_alone

if TYPE_CHECKING:
    from collections.abc import Callable

    from longspan.pipelines.config import Config
    from longspan.pipelines.runs.execution import ExecutionState
    from longspan.pipelines.runs.pipeline_run import PipelineRun
    from longspan.pipelines.runs.results import EvaluationResults

HELP = "run the pipeline, from pairs to an endpoint"
EXAMPLE = "longspan run --config longspan.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan run`."""
    add_config_argument(parser)
    parser.add_argument(
        "--again", action="store_true", help="start a new run: resume no earlier one"
    )
    add_dry_run_arguments(parser)
    parser.add_argument(
        "--no-wait", action="store_true", help="with --aws: start the run and return"
    )
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the pipeline; return 0 if it succeeds, else 1."""
    from longspan.pipelines.config import load_config_or_sample

    began = datetime.now(UTC)
    refuse_json_alone(arguments)
    config = load_config_or_sample(arguments.config)
    if arguments.dry_run:
        return _dry_run(config, as_json=arguments.json)
    from longspan.pipelines.runs.inputs import sample_ahead

    with sample_ahead(config.data, arguments.directory / "data") as wait_for_sample:
        return _follow_run(arguments, config, began, wait_for_sample)


def _follow_run(
    arguments: argparse.Namespace,
    config: "Config",
    began: datetime,
    wait_for_sample: "Callable[[], None]",
) -> int:
    # SageMaker's SDK takes as long to load as the sample takes to generate: both at once.
    from longspan.pipelines.cloud.options import open_connection
    from longspan.pipelines.runs.following import announce, explain_failure, follow
    from longspan.pipelines.runs.pipeline_run import PipelineRun

    with open_connection(arguments, config.aws.region) as connection:
        wait_for_sample()
        started = PipelineRun.start(
            config, connection, arguments.directory, again=arguments.again, began=began
        )
        announce(started, "pipeline")
        if arguments.aws and arguments.no_wait:
            return 0
        state = follow(started, "longspan run")
        if state.status != "Succeeded":
            return explain_failure(state, _show_refused(started, state))
        _show_results(started, state)
    return 0


def _dry_run(config: "Config", *, as_json: bool) -> int:
    from longspan.pipelines.definition import Target, definition_json
    from longspan.pipelines.estimate.cost import estimate
    from longspan.pipelines.estimate.dry_run import dry_run_lines

    definition, cost = definition_json(config, Target.placeholder(config)), estimate(config)
    for line in dry_run_lines(config, definition, cost, "longspan run", as_json=as_json):
        print(line)
    return 0


def _show_refused(run: "PipelineRun", state: "ExecutionState") -> list[str]:
    """Print the evaluation of a refused model; return why it fails requirements without a step.

    The first fail step may end the execution before the others have run.
    """
    from longspan.pipelines.definition.requirements import unmet

    told = {step.name for step in state.steps if step.status == "Failed"}
    # If any other step failed, there may be no evaluation to show.
    if not told or any(not name.startswith("Fail") for name in told):
        return []
    evaluated = run.evaluation(state)
    _show_table(evaluated)
    print(f"\nreport: {evaluated.report}", flush=True)
    lacks = unmet(run.config, evaluated.document["gate"])
    return [message for name, message in lacks if f"Fail{name}" not in told]


def _show_table(evaluated: "EvaluationResults") -> None:
    from longspan.pipelines.runs.results import evaluation_lines

    print()
    for line in evaluation_lines(evaluated.document):
        print(line)


def _show_results(run: "PipelineRun", state: "ExecutionState") -> None:
    from longspan.inference.evaluation.evidence import read_evidence
    from longspan.pipelines.deployment.live_endpoint import ask
    from longspan.pipelines.deployment.scaling import apply_scaling
    from longspan.pipelines.runs.time_table import time_table_lines
    from longspan.training.lengths import count_words

    evaluated = run.evaluation(state)
    model = run.model(state)
    _show_table(evaluated)
    if state.step("Endpoint") is not None:
        apply_scaling(run.connection, run.config)
        source, reference = evaluated.longest()
        runtime = run.connection.client("sagemaker-runtime")
        translation = ask(runtime, run.config.endpoint_name, source)
        print(f"\nA test sentence of {count_words(source)} words, translated by the endpoint:")
        for label, text in (
            ("source", source),
            ("translation", translation),
            ("reference", reference),
        ):
            print(f"\n{label}: {text}")
    print()
    for line in time_table_lines(read_evidence(evaluated.folder)["times"]):
        print(line)
    print(f"\nreport: {evaluated.report}\nmodel:  {model}")
    if run.connection.local:
        # The folder of a run is DIRECTORY/runs/EXECUTION.
        print(f"endpoint: `longspan local up --directory {run.folder.parents[1]}` serves it again")
