"""`python -m longspan.infra.stack deploy|diff|destroy`: the program behind `longspan infra`."""

import argparse
import sys
from collections.abc import Iterable, Sequence

from longspan.infra.aws_client import aws_client
from longspan.infra.errors import StackError
from longspan.infra.stack.stack import ChangeSet, Stack
from longspan.infra.stack.template import parameters, read_template
from longspan.training.errors import LongspanError
from longspan.training.tables import align_rows

__all__ = ["main"]

_NOTES = {"True": " (replaced)", "Conditional": " (perhaps replaced)"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run an action; return 1 after an error, which is one line, or without confirmation."""
    arguments = _parser().parse_args(argv)
    try:
        # Check the parameters before any request to AWS.
        parameters(_given(arguments.parameter), read_template())
        stack = Stack(aws_client("cloudformation", arguments.region), arguments.stack)
        actions = {"deploy": _deploy, "diff": _diff, "destroy": _destroy}
        return actions[arguments.action](stack, arguments)
    except (LongspanError, OSError) as error:
        print(f"longspan: error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m longspan.infra.stack", description=__doc__)
    parser.add_argument("action", choices=("deploy", "diff", "destroy"))
    parser.add_argument("--stack", default="longspan", help="name of the stack (default: longspan)")
    parser.add_argument("--region", help="default: from AWS's configuration")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return parser


def _given(assignments: Iterable[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in assignments]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise StackError(f"--parameter: expected NAME=VALUE, got {wrong[0]}")
    return {name: value for name, _, value in pairs}


def _deploy(stack: Stack, arguments: argparse.Namespace) -> int:
    proposed = stack.propose(_given(arguments.parameter))
    _show(stack, proposed)
    if proposed.id and not _confirmed(arguments, "deploy this?"):
        stack.withdraw(proposed)
        return 1
    for name, value in stack.execute(proposed).items():
        print(f"{name}: {value}")
    return 0


def _diff(stack: Stack, arguments: argparse.Namespace) -> int:
    proposed = stack.propose(_given(arguments.parameter))
    try:
        _show(stack, proposed)
    finally:
        stack.withdraw(proposed)
    return 0


def _destroy(stack: Stack, arguments: argparse.Namespace) -> int:
    if stack.status() is None:
        raise StackError(
            f"expected a stack {stack.name} in this account and region, got none; give --stack or "
            "--region"
        )
    if not _confirmed(arguments, f"delete the stack {stack.name}?"):
        return 1
    for resource in stack.destroy():
        print(f"kept: {resource}")
    return 0


def _show(stack: Stack, proposed: ChangeSet) -> None:
    if not proposed.changes:
        print(f"stack {stack.name}: no changes")
    rows = [
        (change.action, change.kind, f"{change.name}{_NOTES.get(change.replacement, '')}")
        for change in proposed.changes
    ]
    print(*align_rows(rows, "<"), sep="\n", end="\n" * bool(rows))


def _confirmed(arguments: argparse.Namespace, question: str) -> bool:
    if arguments.yes:
        return True
    if not sys.stdin.isatty():
        raise StackError("expected a terminal for the confirmation, got none: add --yes")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


if __name__ == "__main__":
    sys.exit(main())
