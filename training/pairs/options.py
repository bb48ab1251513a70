"""Options of commands that read pairs: columns and languages."""

import argparse
from typing import TYPE_CHECKING

from longspan.training.languages import add_language_options

if TYPE_CHECKING:
    from longspan.training.pairs.columns import Columns

__all__ = ["add_column_options", "columns_of"]


def add_column_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the columns of a test, and of its languages."""
    for side in ("source", "target"):
        parser.add_argument(
            f"--{side}-column", metavar="NAME", help=f"name or number of the {side} column"
        )
    parser.add_argument(
        "--header",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the first row names the columns (default: auto)",
    )
    add_language_options(parser)


def columns_of(arguments: argparse.Namespace) -> "Columns":
    """Return the columns that the options say. Raises DataError for a value that is not allowed."""
    from longspan.training.pairs.columns import Columns  # loads pydantic

    given = {name: getattr(arguments, name) for name in ("source_language", "target_language")}
    return Columns(
        source=arguments.source_column,
        target=arguments.target_column,
        header=arguments.header,
        **{name: language for name, language in given.items() if language is not None},
    )
