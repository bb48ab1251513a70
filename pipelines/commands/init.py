"""Write a commented config that works as it is: the sample corpus, in minutes, on this machine.

With --data it is one for your own pairs, with a gate that fits real text; docs/config.md explains
every key.
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
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="FILE",
        help="your own pairs, or one s3:// prefix, instead of the sample; docs/data.md has formats",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def run(arguments: argparse.Namespace) -> int:
    """Write the file; DataError when there is one already, or data that is not there."""
    from longspan.pipelines.config import own_template, template

    path: Path = arguments.file
    for name in arguments.data or ():
        if not name.startswith("s3://") and not Path(name).is_file():
            raise DataError(f"{name}: expected a file of pairs, found none; correct its name")
    text = own_template(arguments.data) if arguments.data else template()
    try:
        with path.open("w" if arguments.force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise DataError(
            f"{path}: is there already: expected a new name, or --force to replace it"
        ) from None
    what = ", ".join(arguments.data) if arguments.data else "the generated sample"
    print(f"{path}: a pipeline on {what}; edit it, then")
    print(f"next: longspan validate {path}")
    return 0
