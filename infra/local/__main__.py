"""`python -m longspan.infra.local up`: a local AWS endpoint, until it is told to stop.

A program starts it and reads one line of JSON: the variables that lead to it once it answers, or
`error` with the reason why it cannot. Then it serves until SIGTERM, SIGINT or SIGHUP, or the end of
its standard input when `--until-eof` is given, so that it never outlives what started it.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from longspan.training.errors import LongspanError, explain_missing_package

if TYPE_CHECKING:
    from longspan.infra.local.runtimes.runtime import Runtime

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Serve; 1 when it cannot."""
    arguments = _parser().parse_args(argv)
    # The user's own AWS settings must reach neither this nor the jobs.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    try:
        _serve(arguments, stop)
    except (LongspanError, OSError) as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        return _fail(explain_missing_package(error))
    return 0


def _fail(reason: str) -> int:
    print(json.dumps({"error": reason}), flush=True)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m longspan.infra.local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="serve until stopped")
    up.add_argument("--directory", type=Path, required=True, help="state, logs and job folders")
    up.add_argument("--port", type=int, default=0, help="default: a free one")
    up.add_argument("--region", default="us-east-1")
    up.add_argument("--runtime", choices=("process", "docker"), default="process")
    up.add_argument("--iam", action="store_true", help="refuse what policies do not allow")
    up.add_argument(
        "--at-rest",
        action="store_true",
        help="a copy of what the directory holds, to look at: nothing is started, nothing written",
    )
    up.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    return parser


def _serve(arguments: argparse.Namespace, stop: threading.Event) -> None:
    # moto and boto3 take a second to import: a wrong option need not wait for them.
    from longspan.infra.local.cloud import Cloud, CloudSettings

    settings = CloudSettings(
        arguments.directory.resolve(),
        arguments.port,
        arguments.region,
        arguments.iam,
        arguments.at_rest,
    )
    cloud = Cloud(settings, _runtime(arguments.runtime))
    try:
        if arguments.until_eof:
            threading.Thread(target=_wait_for_eof, args=(stop,), daemon=True).start()
        print(json.dumps(cloud.environment()), flush=True)
        stop.wait()
    finally:
        cloud.close()


def _runtime(name: str) -> "Runtime":
    if name == "docker":
        from longspan.infra.local.runtimes.docker_runtime import DockerRuntime

        return DockerRuntime()
    from longspan.infra.local.runtimes.process_runtime import ProcessRuntime

    return ProcessRuntime()


def _wait_for_eof(stop: threading.Event) -> None:
    # Not by sys.stdin: Python would abort at exit, whose lock this thread then holds.
    while os.read(0, 4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
