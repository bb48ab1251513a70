"""The options of `longspan prepare` and of the container's jobs `prepare` and `collect`."""

import argparse
from typing import TYPE_CHECKING

from longspan.training.languages import add_language_options

if TYPE_CHECKING:
    from longspan.training.preparation.prepare import PrepareSettings

__all__ = ["add_prepare_options", "prepare_settings"]


def add_prepare_options(parser: argparse.ArgumentParser) -> None:
    """Add all options that are not paths: format, cleaning, held-out pairs, vocabulary."""
    _add_format(parser.add_argument_group("format"))
    _add_cleaning(parser.add_argument_group("cleaning"))
    _add_splits(parser.add_argument_group("validation and test"))
    _add_vocabulary(parser.add_argument_group("vocabulary"))


def prepare_settings(arguments: argparse.Namespace) -> "PrepareSettings":
    """Build the settings from parsed options. Raises LongspanError for values that do not fit."""
    from longspan.training.pairs.columns import Columns
    from longspan.training.preparation.cleaning import CleaningRules
    from longspan.training.preparation.prepare import PrepareSettings
    from longspan.training.preparation.splits import SplitSettings
    from longspan.training.tokenizer.vocabulary_training import VocabularySettings

    return PrepareSettings(
        Columns(
            arguments.source_column,
            arguments.target_column,
            arguments.document_column,
            arguments.source_language,
            arguments.target_language,
            arguments.header,
        ),
        arguments.format,
        CleaningRules(
            arguments.min_characters,
            arguments.max_characters,
            arguments.min_words,
            arguments.max_words,
            arguments.max_ratio,
            arguments.nfkc,
        ),
        SplitSettings(
            arguments.validation_size,
            arguments.test_size,
            arguments.split_by == "document",
            arguments.seed,
        ),
        VocabularySettings(arguments.vocabulary_type, arguments.vocabulary_size, arguments.joint),
        arguments.tokenizer_pairs,
        not arguments.no_joined,
    )


def _add_format(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--format",
        choices=("tsv", "parallel", "jsonl", "parquet", "tmx"),
        help="format of the files (default: found from names and first bytes)",
    )
    group.add_argument(
        "--source-column", metavar="NAME", help="name of the source column, or number from 1"
    )
    group.add_argument(
        "--target-column", metavar="NAME", help="name of the target column, or number from 1"
    )
    group.add_argument(
        "--document-column",
        metavar="NAME",
        help="name or number of the column with DOCUMENT or DOCUMENT#LINE",
    )
    group.add_argument(
        "--header",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the first line of a TSV file names its columns (default: auto)",
    )
    add_language_options(group)


def _add_cleaning(group: "argparse._ArgumentGroup") -> None:
    for name, kind, default, text in (
        ("--min-characters", int, 1, "fewest characters of each side"),
        ("--max-characters", int, 20_000, "most characters of each side"),
        ("--min-words", int, 1, "fewest words of each side"),
        ("--max-words", int, 3_000, "most words of each side"),
        ("--max-ratio", float, 9.0, "most characters of the longer side per one of the shorter"),
    ):
        group.add_argument(
            name, type=kind, default=default, metavar="N", help=f"{text} (default: {default})"
        )
    group.add_argument("--nfkc", action="store_true", help="normalise both sides to Unicode NFKC")


def _add_splits(group: "argparse._ArgumentGroup") -> None:
    for name in ("--validation-size", "--test-size"):
        group.add_argument(
            name, type=_count, metavar="N", help="pairs to hold out (default: 2,000, at most 1%%)"
        )
    group.add_argument(
        "--split-by",
        choices=("document", "pair"),
        default="document",
        help="hold out whole documents where they are known, or single pairs (default: document)",
    )
    group.add_argument(
        "--no-joined",
        action="store_true",
        help="do not add joined pairs where fewer than 100 pairs have over 100 words",
    )
    group.add_argument(
        "--seed",
        type=_count,
        default=1,
        metavar="N",
        help="seed of held-out pairs (default: 1)",
    )


def _add_vocabulary(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--vocabulary-size",
        type=int,
        default=8000,
        metavar="N",
        help="tokens of each side (default: 8000)",
    )
    group.add_argument(
        "--vocabulary-type",
        choices=("unigram", "bpe", "ngram", "word"),
        default="unigram",
        help="SentencePiece unigram or BPE, ngram (unigram whose tokens may span words), or the "
        "words of text that is tokenised already (default: unigram)",
    )
    group.add_argument("--joint", action="store_true", help="one vocabulary for both sides")
    group.add_argument(
        "--tokenizer-pairs",
        type=_positive,
        default=200_000,
        metavar="N",
        help="training pairs to train vocabularies on (default: 200000)",
    )


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**31:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 0, got {text}")
    return number


def _positive(text: str) -> int:
    if _count(text) == 0:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text}")
    return int(text)
