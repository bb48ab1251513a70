"""Measure a model's quality by sentence length on test pairs.

Writes evaluation.json and translations.tsv to DIR and prints a table: BLEU with its confidence
interval, chrF, length, repetition, empty and unfinished output for each bucket of source words.
MODEL and MODEL2 may also be text files with another system's translations, one a line.
"""

import argparse

from longspan.pipelines.search_options import (
    add_search_arguments,
    positive,
    search_changes,
    set_threads,
)

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "measure a model's quality by sentence length"
EXAMPLE = "longspan evaluate model data/test.tsv --out evaluation --against baseline"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("model", metavar="MODEL", help="model directory, or file of translations")
    parser.add_argument(
        "test",
        metavar="TEST",
        nargs="+",
        help="pairs: TSV, JSON lines, Parquet, TMX, two parallel files, or a prepared directory",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="where the results go")
    parser.add_argument(
        "--against", metavar="MODEL2", help="compare with this one, with significance"
    )
    parser.add_argument("--format", help="of TEST, where its name does not say")
    parser.add_argument("--source-column", metavar="NAME", help="name or number of the column")
    parser.add_argument("--target-column", metavar="NAME", help="name or number of the column")
    parser.add_argument("--source-language", default="en", metavar="CODE", help="default en")
    parser.add_argument("--target-language", default="ja", metavar="CODE", help="default ja")
    parser.add_argument(
        "--tokenize",
        metavar="NAME",
        help="sacreBLEU tokenizer: ja-mecab, zh, 13a, intl, char, none (default: by the "
        "references; none where they are tokenised already)",
    )
    parser.add_argument(
        "--resamples",
        type=positive,
        default=1000,
        metavar="N",
        help="of the bootstrap (default 1000)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the bootstrap (default 1)")
    add_search_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, write the results, print the table."""
    from longspan.training.corpus.columns import Columns
    from longspan.training.evaluate_job import EvaluationJob, evaluate
    from longspan.training.evaluation_table import render_table

    set_threads(arguments)
    columns = Columns(
        source=arguments.source_column,
        target=arguments.target_column,
        source_language=arguments.source_language,
        target_language=arguments.target_language,
    )
    job = EvaluationJob(
        model=arguments.model,
        test=arguments.test,
        out=arguments.out,
        against=arguments.against,
        columns=columns,
        format=arguments.format,
        tokenize=arguments.tokenize,
        search=search_changes(arguments),
        batch_tokens=arguments.batch_tokens,
        device=arguments.device,
        resamples=arguments.resamples,
        seed=arguments.seed,
    )
    done = evaluate(job)
    print(render_table(done.model, done.against))
    return 0
