"""A dry run: print resources and costs, or the definition, without running anything."""

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
    """Add `--dry-run` and `--json`."""
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the resources that a run would create and their cost; run nothing",
    )
    parser.add_argument(
        "--json", action="store_true", help="with --dry-run: print the definition as JSON instead"
    )


def refuse_json_alone(arguments: argparse.Namespace) -> None:
    """Raise OptionError for `--json` without `--dry-run`."""
    if arguments.json and not arguments.dry_run:
        raise OptionError("expected --json with --dry-run, got it alone; add --dry-run")


def dry_run_lines(
    config: "Config",
    definition: str,
    cost: "CostRange",
    command: str,
    *,
    as_json: bool,
    note: str = "",
) -> Iterator[str]:
    """Yield the lines that `command` prints for a dry run.

    `definition` is the pipeline's, as JSON; `as_json` prints it alone. `note` follows the plan.
    """
    from longspan.pipelines.estimate.plan import plan_lines, plan_rows

    content = json.loads(definition)
    if as_json:
        yield json.dumps(content, indent=2, ensure_ascii=False)
        return
    yield "Resources that a run would create or update:\n"
    yield from plan_lines(plan_rows(config, content))
    if note:
        yield f"\n{note}"
    yield "\nCost on AWS (a run on this machine costs nothing):\n"
    yield from cost.lines()
    yield f"\n`{command} --dry-run --json` prints the definition"
