"""The options of evaluating, whoever gives them: the `longspan evaluate` command or a job.

A composition root: it joins the search's options, which are inference's, to the evaluation's.
"""

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from longspan.inference.search.options import (
    add_search_arguments,
    add_split_argument,
    positive,
    search_changes,
    set_threads,
)
from longspan.training.buckets import LEAST_BLEU, MEDIUM
from longspan.training.languages import add_language_options

if TYPE_CHECKING:
    from longspan.inference.evaluation.evaluate import EvaluationJob

__all__ = ["add_evaluate_options", "evaluation_job"]


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Everything that is no path: columns of the test, measures, search, machine."""
    parser.add_argument("--format", help="of TEST, where its name does not say")
    parser.add_argument("--source-column", metavar="NAME", help="name or number of the column")
    parser.add_argument("--target-column", metavar="NAME", help="name or number of the column")
    add_language_options(parser)
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
        help="of the bootstrap (default: 1000)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of the bootstrap (default: 1)"
    )
    parser.add_argument(
        "--least-bleu",
        type=float,
        default=LEAST_BLEU,
        metavar="B",
        help=f"with less of it at {MEDIUM} words, show no share kept (default: {LEAST_BLEU:g})",
    )
    add_split_argument(parser)
    add_search_arguments(parser)


def evaluation_job(
    arguments: argparse.Namespace, model: str, test: Sequence[str], out: str, **others: Any
) -> "EvaluationJob":
    """The job that the options ask for; `others` are further fields of `EvaluationJob`.

    Sets the number of CPU threads.
    """
    from longspan.inference.evaluation.evaluate import EvaluationJob
    from longspan.inference.translation.translator import choose_device
    from longspan.training.pairs.columns import Columns

    set_threads(arguments)
    # Two processes are faster than one with two threads; whoever asks for one thread gets one.
    side_by_side = len(os.sched_getaffinity(0)) > 1 and arguments.threads != 1
    columns = Columns(
        source=arguments.source_column,
        target=arguments.target_column,
        source_language=arguments.source_language,
        target_language=arguments.target_language,
    )
    return EvaluationJob(
        model=model,
        test=test,
        out=out,
        columns=columns,
        format=arguments.format,
        tokenize=arguments.tokenize,
        search=search_changes(arguments),
        by_sentence=arguments.split == "sentences",
        side_by_side=side_by_side and choose_device(arguments.device) == "cpu",
        batch_tokens=arguments.batch_tokens,
        device=arguments.device,
        resamples=arguments.resamples,
        seed=arguments.seed,
        least_bleu=arguments.least_bleu,
        **others,
    )
