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
    # Here, so that `longspan --help` does not load pydantic.
    from longspan.training.sample.generator import SampleSettings

    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="directory to write")
    for name, field in SampleSettings.model_fields.items():
        parser.add_argument(
            _flag(name),
            type=int,
            default=field.default,
            metavar="N",
            help=f"{field.description} (default: {field.default:,})",
        )


def run(arguments: argparse.Namespace) -> int:
    """Write the sample and print the sizes of its files; return 0."""
    from longspan.training.sample.directory import show_training, write_sample
    from longspan.training.sample.generator import SampleSettings

    names = {name: _flag(name) for name in SampleSettings.model_fields}
    settings = SampleSettings.named({name: getattr(arguments, name) for name in names}, names)
    summary = write_sample(arguments.out, settings, show_training(settings))
    for name, counts in summary["files"].items():
        size = f"{counts['pairs']:,} pairs in {counts['documents']:,} documents"
        print(f"{arguments.out / name}: {size}")
    print(f"{arguments.out / 'sample.json'}: settings and counts by length")
    return 0


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
