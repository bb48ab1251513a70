"""The options that say on what and where a command works, and the connection they lead to."""

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

# Where the local cloud keeps what it has, beside the project that uses it.
DIRECTORY = Path(".longspan")
# As `load_config_or_sample` does.
CONFIG_HELP = "a config (default: longspan.yaml where there is one, else the generated sample's)"


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """`--config`."""
    parser.add_argument("--config", type=Path, metavar="FILE", help=CONFIG_HELP)


def add_where_arguments(parser: argparse.ArgumentParser) -> None:
    """`--aws`, `--region` and `--directory`."""
    group = parser.add_argument_group("where")
    group.add_argument(
        "--aws",
        action="store_true",
        help="on AWS, which costs money; without it, on this machine: on the local cloud that "
        "AWS_ENDPOINT_URL names, else on the one that runs on DIR, else on one started there for "
        "this command",
    )
    add_region_argument(group)
    group.add_argument(
        "--directory",
        type=Path,
        default=DIRECTORY,
        metavar="DIR",
        help=f"where a local cloud keeps what it has (default: {DIRECTORY})",
    )


def add_region_argument(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """`--region`."""
    parser.add_argument(
        "--region",
        metavar="R",
        help="of AWS (default: aws.region of the config, then AWS_DEFAULT_REGION, then the "
        "profile's)",
    )


def aws_region(arguments: argparse.Namespace) -> str | None:
    """`--region`, else that of `longspan.yaml`, where there is one; None leaves it to boto3."""
    from longspan.pipelines.config import load_config_or_sample

    return arguments.region or load_config_or_sample(None).aws.region


def default_region(arguments: argparse.Namespace) -> str | None:
    """The same for commands that take no config, and work on AWS only with `--aws`."""
    return aws_region(arguments) if arguments.aws else None


@contextlib.contextmanager
def open_connection(
    arguments: argparse.Namespace,
    region: str | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    to_look: bool = False,
) -> Iterator["CloudConnection"]:
    """AWS or a local cloud, as the options say; `region` is the config's.

    With `to_look` a local cloud that does not run stays so. Raises AwsError and
    LocalCloudStartError.
    """
    # A command's help, and jobs in the image, need no boto3.
    from longspan.pipelines.cloud.connection import connect_aws, open_local

    if arguments.aws:
        yield connect_aws(arguments.region or region)
    else:
        with open_local(arguments.directory, environment, to_look=to_look) as connection:
            yield connection
