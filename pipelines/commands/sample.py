"""Generate an English-Japanese corpus from the project's own grammar.

Writes train.tsv (short pairs), validation.tsv and test.tsv (all lengths up to 300 words) to DIR,
each with the columns doc, en and ja, and sample.json with counts by length. Equal options give
equal bytes. A value of doc is DOCUMENT#LINE: the lines of one document are consecutive text.
"""

import argparse
from pathlib import Path

HELP = "generate a corpus of sentence pairs from the project's own grammar"
EXAMPLE = "longspan sample --pairs 20000 --seed 1 --out build/sample"

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan sample`."""
    parser.add_argument(
        "--pairs", type=int, required=True, metavar="N", help="training pairs to write"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="seed of the corpus (default: 1)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="directory to write")
    parser.add_argument(
        "--max-words",
        type=int,
        default=20,
        metavar="N",
        help="longest training sentence, in English words (default: 20)",
    )
    parser.add_argument(
        "--validation",
        type=int,
        default=500,
        metavar="N",
        help="validation pairs, spread over the length buckets (default: 500)",
    )
    parser.add_argument(
        "--test-per-bucket",
        type=int,
        default=100,
        metavar="N",
        help="test pairs in each length bucket (default: 100)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the sample and print the sizes of its files; return 0."""
    from longspan.training.sample.directory import show_training, write_sample
    from longspan.training.sample.generator import SampleSettings

    settings = SampleSettings(
        pairs=arguments.pairs,
        seed=arguments.seed,
        max_words=arguments.max_words,
        validation=arguments.validation,
        test_per_bucket=arguments.test_per_bucket,
    )
    summary = write_sample(arguments.out, settings, show_training(settings))
    for name, counts in summary["files"].items():
        size = f"{counts['pairs']:,} pairs in {counts['documents']:,} documents"
        print(f"{arguments.out / name}: {size}")
    print(f"{arguments.out / 'sample.json'}: settings and counts by length")
    return 0
