"""Serve a local AWS endpoint on this machine, until Ctrl-C.

Prints the environment variables that point boto3, the SageMaker SDK and longspan to it. Jobs and
endpoints run as local processes, or as containers with `--runtime docker`. State and logs stay in
DIR. No AWS account is needed.
"""

import argparse
import shlex
import signal
import sys
import threading
from pathlib import Path

from longspan.pipelines.cloud.options import DIRECTORY

HELP = "run a local cloud: an AWS endpoint on this machine"
EXAMPLE = "longspan local up --directory .longspan"

# Neither version of the SDK reads AWS_ENDPOINT_URL or a default in `get_execution_role`.
_ROLE_HINT = (
    "# SageMaker SDK v2 and v3: write role = os.environ['LONGSPAN_ROLE_ARN'] in place of "
    "get_execution_role(), which asks AWS"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan local`."""
    parser.add_argument("action", choices=("up",), help="serve until Ctrl-C or SIGTERM")
    parser.add_argument(
        "--directory",
        type=Path,
        default=DIRECTORY,
        metavar="DIR",
        help=f"directory of state, objects and logs (default: {DIRECTORY})",
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="P", help="port to listen on (default: a free one)"
    )
    parser.add_argument(
        "--region",
        default="us-east-1",
        metavar="R",
        help="region to start with (default: us-east-1)",
    )
    parser.add_argument(
        "--runtime",
        choices=("process", "docker"),
        default="process",
        help="run jobs as processes or as containers of their image (default: process)",
    )
    rights = parser.add_mutually_exclusive_group()  # policies need to know whose key it is
    rights.add_argument(
        "--iam", action="store_true", help="refuse what the caller's IAM policies do not allow"
    )
    rights.add_argument(
        "--any-key",
        action="store_true",
        help="accept requests without a valid signature, from every program of this machine",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal; return 0, or 1 if the local cloud ends by itself."""
    from longspan.pipelines.cloud.local_cloud import LocalCloud

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    options = ["--port", str(arguments.port), "--region", arguments.region]
    options += ["--runtime", arguments.runtime]
    options += ["--iam"] * arguments.iam + ["--any-key"] * arguments.any_key
    with LocalCloud(arguments.directory, *options) as cloud:
        for name, value in cloud.environment.items():
            print(f"export {name}={shlex.quote(value)}")
        print(_ROLE_HINT)
        print(
            f"# serves from {arguments.directory}; Ctrl-C ends it, its state stays there",
            flush=True,
        )
        # The wait ends with a signal; once a second, look whether the cloud has ended by itself.
        while not stop.wait(1.0):
            if (status := cloud.ended()) is not None:
                print(f"longspan: error: the local cloud ended with {status}", file=sys.stderr)
                return 1
    return 0
