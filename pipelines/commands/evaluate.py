"""Measure a model's quality by sentence length on test pairs.

Writes evaluation.json, translations.tsv and report.html to DIR. Prints a table with BLEU and its
confidence interval, chrF, length, repetition, empty and unfinished output for each bucket of
source words. With --documents, measures the same documents in pieces of every length too, and
prints a second table. MODEL and MODEL2 may also be text files with the translations of another
system, one per line.
"""

import argparse

from longspan.inference.evaluation.options import add_evaluate_options, evaluation_job

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "measure a model's quality by sentence length"
EXAMPLE = "longspan evaluate model data/test.tsv --out evaluation --against baseline"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan evaluate`."""
    parser.add_argument("model", metavar="MODEL", help="model directory, or file of translations")
    parser.add_argument(
        "test",
        metavar="TEST",
        nargs="+",
        help="pairs in a format that prepare reads (docs/data.md), or a prepared directory",
    )
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="directory to write the results to"
    )
    parser.add_argument(
        "--against", metavar="MODEL2", help="compare with this model, with significance"
    )
    add_evaluate_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, write the results, print the table; return 0."""
    from longspan.inference.evaluation.documents.table import render_documents
    from longspan.inference.evaluation.evaluate import evaluate
    from longspan.inference.evaluation.table import render_table

    job = evaluation_job(
        arguments, arguments.model, arguments.test, arguments.out, against=arguments.against
    )
    done = evaluate(job)
    print(render_table(done.model, done.against, done.training))
    if done.documents is not None:
        print(f"\n{render_documents(done.documents)}")
    return 0
