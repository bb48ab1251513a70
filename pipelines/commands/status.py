"""Show the executions of pipelines, and the steps of one of them.

EXECUTION is the ARN of an execution or the last part of it; the default is the newest one.
"""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from longspan.pipelines.cloud.options import add_where_arguments
from longspan.training.tables import align_rows

HELP = "show executions and their steps"
EXAMPLE = "longspan status --pipeline longspan-sample"

# The most executions of a pipeline to list; older ones are counted only.
_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan status`."""
    parser.add_argument(
        "execution", nargs="?", metavar="EXECUTION", help="ARN or id (default: the newest)"
    )
    parser.add_argument(
        "--pipeline", metavar="NAME", help="pipeline of the execution (default: all)"
    )
    parser.add_argument(
        "--follow", action="store_true", help="follow the execution until it has ended"
    )
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the status; with --follow return 1 if the execution does not succeed, else 0."""
    from longspan.pipelines.cloud.options import default_region, open_connection
    from longspan.pipelines.runs.execution import Execution, choose_execution
    from longspan.pipelines.runs.live_view import show

    with open_connection(arguments, default_region(arguments), at_rest=True) as connection:
        client = connection.client("sagemaker")
        found = choose_execution(client, arguments.execution, arguments.pipeline)
        if arguments.execution is None:
            _print_list(client, arguments.pipeline)
        execution = Execution(client, found.arn)
        if arguments.follow:
            state = show(execution.watch(connection.poll_seconds), sys.stdout)
        else:
            state = execution.state()
            _print_steps(state)
        started = f"{found.started.astimezone():%Y-%m-%d %H:%M}"
        print(f"\n{found.pipeline} {found.id}: {state.status}, started {started}")
        if state.reason:
            print(state.reason)
        return int(arguments.follow and state.status != "Succeeded")


def _print_list(client: Any, pipeline: str | None) -> None:
    from longspan.pipelines.runs.execution import list_executions, list_pipelines

    rows: list[tuple[str, ...]] = []
    for name in [pipeline] if pipeline else list_pipelines(client):
        found = list(list_executions(client, name))
        for one in found[:_SHOWN]:
            started = f"{one.started.astimezone():%Y-%m-%d %H:%M}"
            rows.append((name, one.id, one.status, started))
        if len(found) > _SHOWN:
            rows.append((name, f"and {len(found) - _SHOWN} earlier"))
    print(*align_rows(rows, "<"), "", sep="\n")


def _print_steps(state: Any) -> None:
    from rich.console import Console

    from longspan.pipelines.runs.live_view import table

    Console(highlight=False).print(table(state, datetime.now(UTC)))
    rows = [(step.name, f"longspan logs {step.job}") for step in state.steps if step.job]
    for line in align_rows(rows, "<"):
        print(line)
