"""Clean, split and tokenise aligned pairs into a directory that `longspan train` reads.

PAIRS are TSV, two parallel files (train.en train.ja), JSON lines, Parquet or TMX; plain,
gzip, xz or zstd; several of them, or - for standard input. What was removed, by which rule
and with examples, stands in DIR/manifest.json.
"""

import argparse
import sys
from pathlib import Path

from longspan.training.preparation.options import add_prepare_options, prepare_settings

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "clean, split and tokenise aligned pairs"
EXAMPLE = "longspan prepare train.tsv.xz --source-column en --target-column ja --out corpus"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `longspan prepare`."""
    parser.add_argument("pairs", nargs="+", metavar="PAIRS", help="input files, or -")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write")
    parser.add_argument("--validation", metavar="FILE", help="pairs to validate on, not drawn")
    parser.add_argument("--test", metavar="FILE", help="pairs to test on, not drawn")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a corpus that DIR holds already"
    )
    add_prepare_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prepare, then print the summary and the next command."""
    from longspan.training.preparation.prepare_once import prepare_once
    from longspan.training.preparation.report import next_command, prepare_summary

    manifest, fresh = prepare_once(
        arguments.pairs,
        arguments.out,
        prepare_settings(arguments),
        _held_out(arguments),
        overwrite=arguments.overwrite,
    )
    if not fresh:
        print(f"{arguments.out}: up to date, made from this input with these settings")
    print(prepare_summary(manifest))
    print(f"\nnext: {next_command(arguments.out)}")
    sys.stdout.flush()
    return 0


def _held_out(arguments: argparse.Namespace) -> dict[int, str]:
    from longspan.training.preparation.splits import TEST, VALIDATION

    given = {VALIDATION: arguments.validation, TEST: arguments.test}
    return {split: path for split, path in given.items() if path is not None}
