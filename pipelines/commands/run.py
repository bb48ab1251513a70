"""Run the pipeline: prepare, tune, evaluate by length, gate, register, deploy, translate.

Runs on this machine, on a local cloud; `--aws` runs the same pipeline on AWS. Run it again after
a stop or a failure and it goes on where it ended; what has not changed is not done again.
"""

import argparse
from typing import TYPE_CHECKING

from longspan.pipelines.dry_run import add_dry_run_arguments, refuse_json_alone
from longspan.pipelines.where import add_config_argument, add_where_arguments

if TYPE_CHECKING:
    from longspan.pipelines.config import Config
    from longspan.pipelines.execution import ExecutionState
    from longspan.pipelines.pipeline_run import PipelineRun

HELP = "run the pipeline, from pairs to an endpoint"
EXAMPLE = "longspan run --config longspan.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `longspan run`."""
    add_config_argument(parser)
    parser.add_argument("--again", action="store_true", help="start anew: take up no earlier run")
    add_dry_run_arguments(parser)
    parser.add_argument(
        "--no-wait", action="store_true", help="with --aws: start it and return at once"
    )
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run; 0 when the pipeline has succeeded."""
    from longspan.pipelines.config import load_config_or_sample

    refuse_json_alone(arguments)
    config = load_config_or_sample(arguments.config)
    if arguments.dry_run:
        return _dry_run(config, as_json=arguments.json)
    from longspan.pipelines.following import announce, explain_failure, follow
    from longspan.pipelines.pipeline_run import PipelineRun
    from longspan.pipelines.where import open_connection

    with open_connection(arguments, config.aws.region) as connection:
        started = PipelineRun.start(config, connection, arguments.directory, again=arguments.again)
        announce(started, "pipeline")
        if arguments.aws and arguments.no_wait:
            return 0
        state = follow(started, "longspan run")
        if state.status != "Succeeded":
            return explain_failure(state)
        _show_results(started, state)
    return 0


def _dry_run(config: "Config", *, as_json: bool) -> int:
    from longspan.pipelines.cost import estimate
    from longspan.pipelines.definition import Target, definition_json
    from longspan.pipelines.dry_run import dry_run_lines

    definition, cost = definition_json(config, Target.placeholder(config)), estimate(config)
    for line in dry_run_lines(config, definition, cost, "longspan run", as_json=as_json):
        print(line)
    return 0


def _show_results(run: "PipelineRun", state: "ExecutionState") -> None:
    from longspan.pipelines.live_endpoint import ask
    from longspan.pipelines.results import table_lines
    from longspan.pipelines.scaling import apply_scaling

    evaluated = run.evaluation(state)
    model = run.model(state)
    print()
    for line in table_lines(evaluated.document):
        print(line)
    if state.step("Endpoint") is not None:
        apply_scaling(run.connection, run.config)
        source, reference = evaluated.longest()
        runtime = run.connection.client("sagemaker-runtime")
        translation = ask(runtime, run.config.endpoint_name, source)
        print(f"\nA test sentence of {len(source.split())} words, asked of the endpoint:")
        for label, text in (
            ("source", source),
            ("translation", translation),
            ("reference", reference),
        ):
            print(f"\n{label}: {text}")
    print(f"\nreport: {evaluated.report}\nmodel:  {model}")
    if run.connection.local:
        print(
            f"endpoint: serves again with `longspan local up --directory {run.folder.parents[1]}`"
        )
