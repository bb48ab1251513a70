"""Stop an execution and the jobs that it runs.

EXECUTION is an execution's ARN or the last part of it; without it, the newest one. What its
finished steps made stays, and `longspan run` goes on from there.
"""

import argparse
import sys

from longspan.pipelines.cloud.options import add_where_arguments

HELP = "stop an execution"
EXAMPLE = "longspan stop --pipeline longspan-sample"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `longspan stop`."""
    parser.add_argument(
        "execution", nargs="?", metavar="EXECUTION", help="ARN or id (default: the newest)"
    )
    parser.add_argument("--pipeline", metavar="NAME", help="of this pipeline (default: of all)")
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask it to stop and wait until it has."""
    from longspan.pipelines.cloud.options import default_region, open_connection
    from longspan.pipelines.runs.execution import Execution, choose_execution
    from longspan.pipelines.runs.live_view import show

    # A local cloud that does not run has nothing to stop.
    with open_connection(arguments, default_region(arguments), to_look=True) as connection:
        client = connection.client("sagemaker")
        found = choose_execution(client, arguments.execution, arguments.pipeline)
        execution = Execution(client, found.arn)
        if execution.state().ended:
            print(f"{found.id} has ended already: {found.status}")
            return 0
        execution.stop()
        state = show(execution.watch(connection.poll_seconds), sys.stdout)
        print(f"{found.id}: {state.status}")
    return 0
