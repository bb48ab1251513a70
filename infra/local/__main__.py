"""`python -m longspan.infra.local up`: serve a local AWS endpoint until a signal or end of input.

Another program starts the command and reads one line of JSON: the environment variables of the
endpoint when it serves, or `error` with the reason when it cannot start. It serves until SIGTERM,
SIGINT or SIGHUP. With `--until-eof`, it also ends with its standard input, and so with its parent.
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

# Variables that name the user's AWS files.
_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal; return 1 if the cloud cannot start."""
    arguments = _parser().parse_args(argv)
    # The user's own AWS settings must not reach the cloud or its jobs.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= dict.fromkeys(_FILES, os.devnull)
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
    up.add_argument("--directory", type=Path, required=True, help="folder for state, logs and jobs")
    up.add_argument("--port", type=int, default=0, help="port (default: a free one)")
    up.add_argument("--region", default="us-east-1")
    up.add_argument("--runtime", choices=("process", "docker"), default="process")
    rights = up.add_mutually_exclusive_group()  # policies need to know whose key it is
    rights.add_argument(
        "--iam", action="store_true", help="refuse requests that policies do not allow"
    )
    rights.add_argument(
        "--any-key", action="store_true", help="accept requests without a valid signature"
    )
    up.add_argument(
        "--at-rest",
        action="store_true",
        help="serve a read-only copy of the directory's state: start and write nothing",
    )
    up.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    return parser


def _serve(arguments: argparse.Namespace, stop: threading.Event) -> None:
    # Imported late: moto and boto3 take a second, and a wrong option must not wait for them.
    from longspan.infra.local.cloud import Cloud, CloudSettings

    settings = CloudSettings(
        arguments.directory.resolve(),
        arguments.port,
        arguments.region,
        arguments.iam,
        arguments.any_key,
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
    # Read the descriptor, not sys.stdin: at exit, Python would abort on the lock of a blocked read.
    while os.read(0, 4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
