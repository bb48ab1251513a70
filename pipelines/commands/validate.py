"""Check a config without a network, and print every mistake on a line of its own.

Exit status: 0 for a valid config, 1 for one with mistakes. --definition prints the pipeline's JSON
as it would be sent to AWS, with placeholders where the config names no account.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longspan.pipelines.config import Config

HELP = "check a config"
EXAMPLE = "longspan validate longspan.yaml"

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan validate`."""
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("longspan.yaml"),
        metavar="FILE",
        help="config to check (default: longspan.yaml)",
    )
    parser.add_argument(
        "--definition", action="store_true", help="print the pipeline definition, as JSON"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the mistakes and return 1, or print a summary and return 0."""
    from longspan.pipelines.config import ConfigError, load_config

    try:
        config = load_config(arguments.file)
    except ConfigError as error:
        for line in error.lines:
            print(line, file=sys.stderr)
        return 1
    if arguments.definition:
        from longspan.pipelines.definition import Target, definition_json

        print(definition_json(config, Target.placeholder(config)))
    else:
        print(f"{arguments.file}: valid\n{_summary(config)}")
    return 0


def _summary(config: "Config") -> str:
    from longspan.pipelines.estimate.cost import estimate

    tuning, endpoint = config.tuning, config.endpoint
    service = "serverless" if endpoint.serverless else endpoint.instance_type
    lines = {
        "pipeline": config.name,
        "tuning": f"{tuning.strategy}, {tuning.number_of_jobs} jobs, {tuning.parallel_jobs} at a "
        f"time, over {', '.join(tuning.search_space)}",
        "baseline": "yes" if config.baseline.enabled else "no",
        "endpoint": f"{config.endpoint_name} ({service})" if endpoint.enabled else "no",
        "on AWS": str(estimate(config)),
    }
    return "\n".join(f"  {name + ':':10} {text}" for name, text in lines.items())
