"""Clean, split and tokenise aligned pairs into a directory that `longspan train` reads.

PAIRS are files in TSV, CSV, JSON, Parquet, Arrow, TMX, XLIFF or PO, two parallel files (train.en
train.ja), ZIP archives of these, or folders of Hugging Face's datasets; plain or compressed with
gzip, bzip2, xz or zstd; - is standard input. DIR/manifest.json counts what each rule removed, with
examples.
"""

import argparse
import sys
from pathlib import Path

from longspan.training.preparation.options import add_prepare_options, prepare_settings

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "clean, split and tokenise aligned pairs"
EXAMPLE = "longspan prepare train.tsv.xz --source-column en --target-column ja --out corpus"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan prepare`."""
    parser.add_argument("pairs", nargs="+", metavar="PAIRS", help="input files, or -")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="directory to write")
    parser.add_argument(
        "--validation", metavar="FILE", help="validation pairs (default: drawn from PAIRS)"
    )
    parser.add_argument("--test", metavar="FILE", help="test pairs (default: drawn from PAIRS)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the corpus that DIR holds"
    )
    parser.add_argument(
        "--tokenizer-from",
        metavar="MODEL",
        type=Path,
        help="use the tokenizer of this model or prepared directory instead of training one, for "
        "`longspan train --from MODEL`",
    )
    add_prepare_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prepare the pairs, print a summary and the next command; return 0."""
    from longspan.training.model.archive import load_tokenizer
    from longspan.training.preparation.prepare_once import prepare_once
    from longspan.training.preparation.report import next_command, prepare_summary

    place = arguments.tokenizer_from
    manifest, fresh = prepare_once(
        arguments.pairs,
        arguments.out,
        prepare_settings(arguments),
        _held_out(arguments),
        overwrite=arguments.overwrite,
        tokenizer=None if place is None else load_tokenizer(place),
    )
    if not fresh:
        print(f"{arguments.out}: up to date with this input and these settings")
    print(prepare_summary(manifest))
    print(f"\nnext: {next_command(arguments.out)}")
    sys.stdout.flush()
    return 0


def _held_out(arguments: argparse.Namespace) -> dict[int, str]:
    from longspan.training.preparation.splits import TEST, VALIDATION

    given = {VALIDATION: arguments.validation, TEST: arguments.test}
    return {split: path for split, path in given.items() if path is not None}
