"""Options that choose the config and the cloud of a command, and the connection to that cloud."""

import argparse
import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longspan.pipelines.cloud.connection import CloudConnection

__all__ = [
    "CONFIG_HELP",
    "DIRECTORY",
    "add_config_argument",
    "add_region_argument",
    "add_where_arguments",
    "aws_region",
    "default_region",
    "open_connection",
]

# Default directory of the local cloud's state.
DIRECTORY = Path(".longspan")
# `load_config_or_sample` implements this default.
CONFIG_HELP = "config (default: longspan.yaml if it exists, else the generated sample's config)"


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument("--config", type=Path, metavar="FILE", help=CONFIG_HELP)


def add_where_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--aws`, `--region` and `--directory`."""
    group = parser.add_argument_group("where")
    group.add_argument(
        "--aws",
        action="store_true",
        help="work on AWS, which costs money (default: on this machine, with the local cloud that "
        "AWS_ENDPOINT_URL names, else the one that runs on DIR, else one started for this command)",
    )
    add_region_argument(group)
    group.add_argument(
        "--directory",
        type=Path,
        default=DIRECTORY,
        metavar="DIR",
        help=f"directory of the local cloud's state (default: {DIRECTORY})",
    )


def add_region_argument(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Add `--region`."""
    parser.add_argument(
        "--region",
        metavar="R",
        help="region of AWS (default: aws.region of the config, else AWS_DEFAULT_REGION, else that "
        "of the AWS profile)",
    )


def aws_region(arguments: argparse.Namespace) -> str | None:
    """Return `--region`, else that of `longspan.yaml`; None leaves the choice to boto3."""
    from longspan.pipelines.config import load_config_or_sample

    return arguments.region or load_config_or_sample(None).aws.region


def default_region(arguments: argparse.Namespace) -> str | None:
    """Return `aws_region` with `--aws`, else None; for commands that take no config."""
    return aws_region(arguments) if arguments.aws else None


@contextlib.contextmanager
def open_connection(
    arguments: argparse.Namespace,
    region: str | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    at_rest: bool = False,
) -> Iterator["CloudConnection"]:
    """Connect to AWS or to a local cloud, as the options say; `region` is the config's.

    `at_rest` is for commands that start nothing, see `open_local`. Raises AwsError and
    LocalCloudStartError.
    """
    # Imported here, because `--help` must not load boto3.
    from longspan.pipelines.cloud.connection import connect_aws, open_local

    if arguments.aws:
        yield connect_aws(arguments.region or region)
    else:
        with open_local(arguments.directory, environment, at_rest=at_rest) as connection:
            yield connection
