"""A dry run: what would be created and what that may cost, or the definition; nothing runs."""

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from longspan.training.errors import OptionError

if TYPE_CHECKING:
    from longspan.pipelines.config import Config
    from longspan.pipelines.estimate.cost import CostRange

__all__ = ["add_dry_run_arguments", "dry_run_lines", "refuse_json_alone"]


def add_dry_run_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dry-run` and `--json`."""
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print what it would create and what that may cost; run nothing",
    )
    parser.add_argument(
        "--json", action="store_true", help="with --dry-run: print the definition as JSON instead"
    )


def refuse_json_alone(arguments: argparse.Namespace) -> None:
    """Raise OptionError for `--json` without `--dry-run`."""
    if arguments.json and not arguments.dry_run:
        raise OptionError("--json prints the definition of a --dry-run: give both")


def dry_run_lines(
    config: "Config",
    definition: str,
    cost: "CostRange",
    command: str,
    *,
    as_json: bool,
    note: str = "",
) -> Iterator[str]:
    """What `command` prints; `definition` is the pipeline's, as JSON, `note` stands below its
    plan."""
    from longspan.pipelines.estimate.plan import plan_lines, plan_rows

    content = json.loads(definition)
    if as_json:
        yield json.dumps(content, indent=2, ensure_ascii=False)
        return
    yield "What a run would create or update:\n"
    yield from plan_lines(plan_rows(config, content))
    if note:
        yield f"\n{note}"
    yield "\nWhat it may cost on AWS; on this machine nothing:\n"
    yield from cost.lines()
    yield f"\nThe definition: `{command} --dry-run --json`"
