"""Stop an execution and its running jobs.

EXECUTION is the ARN of an execution or the last part of it; the default is the newest one. The
results of finished steps stay, and `longspan run` continues from them.
"""

import argparse
import sys

from longspan.pipelines.cloud.options import add_where_arguments

HELP = "stop an execution"
EXAMPLE = "longspan stop --pipeline longspan-sample"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan stop`."""
    parser.add_argument(
        "execution", nargs="?", metavar="EXECUTION", help="ARN or id (default: the newest)"
    )
    parser.add_argument(
        "--pipeline", metavar="NAME", help="pipeline of the execution (default: all)"
    )
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Stop the execution and wait until it has ended; return 0."""
    from longspan.pipelines.cloud.options import default_region, open_connection
    from longspan.pipelines.runs.execution import Execution, choose_execution
    from longspan.pipelines.runs.live_view import show

    # If no local cloud runs, nothing runs on it, so none is started to stop something.
    with open_connection(arguments, default_region(arguments), at_rest=True) as connection:
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
