"""Options of an evaluation, for the `longspan evaluate` command and for the job."""

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
from longspan.training.bleu_tokenizers import AUTO, TOKENIZERS
from longspan.training.buckets import LEAST_BLEU, MEDIUM
from longspan.training.pairs.options import add_column_options, columns_of

if TYPE_CHECKING:
    from longspan.inference.evaluation.evaluate import EvaluationJob

__all__ = ["add_evaluate_options", "evaluation_job"]


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Add all options that are not paths: columns of the test, measures, search, machine."""
    parser.add_argument("--format", help="format of TEST (default: from its name)")
    add_column_options(parser)
    # Without a language that the user names, the script of the references decides about BLEU.
    parser.set_defaults(target_language=None)
    parser.add_argument(
        "--tokenize",
        choices=(AUTO, *TOKENIZERS),
        default=AUTO,
        metavar="NAME",
        help=f"tokenizer of sacreBLEU: {', '.join(TOKENIZERS)} (default: by the target language, "
        "else the script of the references; none where they are tokenised already)",
    )
    parser.add_argument(
        "--resamples",
        type=positive,
        default=1000,
        metavar="N",
        help="resamples of the bootstrap (default: 1000)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="seed of the bootstrap (default: 1)"
    )
    parser.add_argument(
        "--least-bleu",
        type=float,
        default=LEAST_BLEU,
        metavar="B",
        help=f"show no share kept where BLEU at {MEDIUM} words is below B "
        f"(default: {LEAST_BLEU:g})",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="measure what translations omit and what they say twice, which takes several times "
        "as long",
    )
    parser.add_argument(
        "--repair", action="store_true", help="check, and repair translations before measuring"
    )
    add_split_argument(parser)
    _add_document_options(parser)
    add_search_arguments(parser)


def _add_document_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--document-column", metavar="NAME", help="name or number of the column with DOCUMENT#LINE"
    )
    parser.add_argument(
        "--documents",
        action="store_true",
        help="also translate the rows of each document joined, as groups of some words, as "
        "paragraphs and whole, each in one piece and split by sentences, and compare with the rows "
        "alone",
    )
    parser.add_argument(
        "--group-words",
        type=positive,
        action="append",
        metavar="N",
        help="with --documents: source words of a group; repeat it for several "
        "(default: 30, 60, 150)",
    )


def evaluation_job(
    arguments: argparse.Namespace,
    model: str,
    test: Sequence[str],
    out: str,
    *,
    documents_required: bool = True,
    **others: Any,
) -> "EvaluationJob":
    """Return the evaluation of the options; `others` are further fields of `EvaluationJob`.

    With `--documents`, a test without documents is refused if `documents_required`.

    Sets the number of CPU threads too.
    """
    from longspan.inference.evaluation.documents.evaluate_documents import (
        GROUP_WORDS,
        DocumentSettings,
    )
    from longspan.inference.evaluation.evaluate import EvaluationJob
    from longspan.inference.translation.translator import choose_device

    set_threads(arguments)
    # Two processes are faster than one with two threads. --threads 1 means one thread in all.
    side_by_side = len(os.sched_getaffinity(0)) > 1 and arguments.threads != 1
    columns = columns_of(arguments)
    if arguments.document_column is not None:
        columns = columns.replace(document=arguments.document_column)
    documents = None
    if arguments.documents:
        words = tuple(arguments.group_words or GROUP_WORDS)
        documents = DocumentSettings(words, documents_required)
    return EvaluationJob(
        model=model,
        test=test,
        out=out,
        columns=columns,
        format=arguments.format,
        tokenize=arguments.tokenize,
        language=arguments.target_language,
        search=search_changes(arguments),
        by_sentence=arguments.split == "sentences",
        check=arguments.check,
        repair=arguments.repair,
        side_by_side=side_by_side and choose_device(arguments.device) == "cpu",
        batch_tokens=arguments.batch_tokens,
        device=arguments.device,
        resamples=arguments.resamples,
        seed=arguments.seed,
        least_bleu=arguments.least_bleu,
        documents=documents,
        **others,
    )
