"""The `longspan` command: parse options, run the module of a subcommand, print errors."""

import argparse
import importlib
import os
import sys
from collections.abc import Collection, Sequence
from types import ModuleType

from longspan.training.errors import (
    Interrupted,
    LongspanError,
    explain_missing_package,
    explain_os_error,
)
from longspan.training.stop import terminated_as_interrupted

__all__ = ["COMMANDS", "build_parser", "main"]

COMMANDS = (
    "init",
    "validate",
    "run",
    "study",
    "status",
    "logs",
    "stop",
    "endpoints",
    "deploy",
    "delete",
    "cost",
    "local",
    "image",
    "infra",
    "sample",
    "prepare",
    "train",
    "evaluate",
    "diagnose",
    "translate",
    "serve",
)


def build_parser(declared: Collection[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of all subcommands; the `--help` of each one ends with an example.

    Only subcommands in `declared` get their options, because some options load the modules of the
    values that they set.
    """
    parser = argparse.ArgumentParser(
        prog="longspan",
        description="Neural machine translation whose quality does not fall with sentence length.",
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = _load(name)
        sub = subparsers.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name in declared:
            module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status.

    An expected failure is one line on standard error and status 1. Ctrl-C and SIGTERM end the
    command in an orderly way, with status 130. A closed pipe ends it with status 141.
    """
    words = sys.argv[1:] if argv is None else argv
    _unset_empty_variables()
    # Any of the words may be the subcommand: those that are get their options.
    arguments = build_parser(set(words)).parse_args(words)
    try:
        with terminated_as_interrupted():
            return int(arguments.run(arguments))
    except Interrupted as stop:
        return _fail(str(stop), 130)
    except LongspanError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail("stopped by a signal", 130)
    except BrokenPipeError:
        # The reader of the output has gone (`| head`); without this Python complains at exit.
        sys.stderr.close()
        return 141
    except OSError as error:
        return _fail(explain_os_error(error), 1)
    except ModuleNotFoundError as error:
        return _fail(explain_missing_package(error), 1)


def _unset_empty_variables() -> None:
    """Unset variables of AWS without a value: a shell means no value, boto3 refuses it."""
    for name in [n for n, value in os.environ.items() if n.startswith("AWS_") and not value]:
        del os.environ[name]


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"longspan.pipelines.commands.{name}")


def _fail(message: str, code: int) -> int:
    print(f"longspan: error: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
