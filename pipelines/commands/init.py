"""Write a commented config that works as it is: the sample corpus, in minutes, on this machine.

Edit `data` to train on your own pairs; docs/config.md explains every key.
"""

import argparse
from pathlib import Path

from longspan.training.errors import DataError

HELP = "write a commented config to start from"
EXAMPLE = "longspan init longspan.yaml"

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `longspan init`."""
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("longspan.yaml"),
        metavar="FILE",
        help="to write (default: longspan.yaml)",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def run(arguments: argparse.Namespace) -> int:
    """Write the file; DataError when there is one already."""
    from longspan.pipelines.config import template

    path: Path = arguments.file
    try:
        with path.open("w" if arguments.force else "x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise DataError(
            f"{path}: is there already: expected a new name, or --force to replace it"
        ) from None
    print(f"{path}: a pipeline on the generated sample; edit it, then")
    print(f"next: longspan validate {path}")
    return 0
