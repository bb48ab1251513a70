"""Write a commented config that works without changes.

It trains on the generated sample, in minutes on this machine. With --data it trains on your own
pairs, with a gate that fits real text. docs/config.md explains every key.
"""

import argparse
from pathlib import Path

from longspan.training.errors import DataError

HELP = "write a commented config to start from"
EXAMPLE = "longspan init longspan.yaml"

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan init`."""
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("longspan.yaml"),
        metavar="FILE",
        help="file to write (default: longspan.yaml)",
    )
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="FILE",
        help="files of pairs, or one s3:// prefix, instead of the sample; formats: docs/data.md",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def run(arguments: argparse.Namespace) -> int:
    """Write the config; return 0. Raises DataError if it exists already or data is missing."""
    from longspan.pipelines.config import own_template, template
    from longspan.training.pairs.datasets import is_dataset

    path: Path = arguments.file
    for name in arguments.data or ():
        if not name.startswith("s3://") and not Path(name).is_file() and not is_dataset(Path(name)):
            raise DataError(f"{name}: expected a file of pairs, got none; correct its name")
    text = own_template(arguments.data) if arguments.data else template()
    try:
        # Mode x refuses an existing file as it opens it, so none can appear between check and
        # write.
        with path.open("w" if arguments.force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise DataError(
            f"{path}: expected a new file, got an existing one; choose another name, or --force"
        ) from None
    what = ", ".join(arguments.data) if arguments.data else "the generated sample"
    print(f"{path}: a pipeline on {what}")
    print(f"next: longspan validate {path}")
    return 0
