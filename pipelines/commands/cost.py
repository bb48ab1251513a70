"""Estimate the cost of a pipeline run on AWS, or compute the cost of a past run.

Without --execution, print a range for the config, from list prices and the time limits of its
jobs, and the endpoint's cost per month. With --execution, print the cost of the seconds for which
the jobs of an execution were billed; on the local cloud, the cost that these seconds would have on
AWS. Prices come from a dated table; the config's `prices` replaces any of them.
"""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from longspan.pipelines.cloud.options import add_config_argument, add_where_arguments
from longspan.training.tables import align_rows

if TYPE_CHECKING:
    from longspan.pipelines.config import Config

HELP = "estimate the cost of a run, or compute that of a past one"
EXAMPLE = "longspan cost --config longspan.yaml"

# The value of --execution without a value.
_NEWEST = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan cost`."""
    add_config_argument(parser)
    parser.add_argument(
        "--execution",
        nargs="?",
        const=_NEWEST,
        metavar="EXECUTION",
        help="compute the cost of this execution (no value: the newest of the config's pipeline)",
    )
    add_where_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the estimate or the bill; return 0."""
    from longspan.pipelines.config import load_config_or_sample
    from longspan.pipelines.estimate.cost import estimate

    config = load_config_or_sample(arguments.config)
    if arguments.execution is not None:
        _print_bill(config, arguments)
        return 0
    for line in estimate(config).lines():
        print(line)
    return 0


def _print_bill(config: "Config", arguments: argparse.Namespace) -> None:
    from longspan.pipelines.cloud.options import open_connection
    from longspan.pipelines.estimate.prices import PRICES_AS_OF
    from longspan.pipelines.runs.bill import bill
    from longspan.pipelines.runs.execution import Execution, choose_execution

    with open_connection(arguments, config.aws.region, at_rest=True) as connection:
        sagemaker = connection.client("sagemaker")
        found = choose_execution(sagemaker, arguments.execution or None, config.name)
        state = Execution(sagemaker, found.arn).state()
        billed = bill(sagemaker, state, config.prices, datetime.now(UTC))
        local = connection.local
    print(f"{found.pipeline} {found.id}: {state.status}")
    rows = [("step", "jobs", "machine hours", "saved by spot", "dollars", "machine")]
    for step in billed.steps:
        hours, saved = f"{step.hours:.3f}", f"{step.saved_hours:.3f}"
        dollars = "-" if step.dollars is None else f"{step.dollars:.4f}"
        rows.append((step.name, str(step.jobs), hours, saved, dollars, step.machine))
    print(*align_rows(rows, "<>>>><"), sep="\n")
    label = "cost of the same seconds on AWS" if local else "total"
    print(f"\n{label}: ${billed.dollars:.4f} (list prices of {PRICES_AS_OF}, us-east-1)")
    if billed.missing:
        machines = ", ".join(billed.missing)
        print(f"not included: {machines} (no price known; add one to the config's `prices`)")
