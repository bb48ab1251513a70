"""Find what is wrong with a model on long input, and suggest what to try.

Translates TEST and examines each output and its attention: output that is too short or too long,
repetition, dropped clauses of the source, attention that wanders, loses its place or stops moving,
lengths that training did not have. Long segments are compared with medium ones. Each finding comes
with an example and with hyperparameters to try.
"""

import argparse
from pathlib import Path

from longspan.inference.search.options import add_search_arguments, search_changes, set_threads
from longspan.training.pairs.options import add_column_options, columns_of

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "find what is wrong with a model on long input"
EXAMPLE = "longspan diagnose model data/test.tsv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `longspan diagnose`."""
    parser.add_argument("model", metavar="MODEL", help="model directory")
    parser.add_argument(
        "test",
        metavar="TEST",
        nargs="+",
        help="pairs in a format that prepare reads (docs/data.md), or a prepared directory",
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help="also write the diagnosis as JSON")
    parser.add_argument("--format", help="format of TEST (default: from its name)")
    add_column_options(parser)
    add_search_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Diagnose the model and print the findings; return 0."""
    from longspan.inference.diagnosis.diagnose import diagnose_model, render_diagnosis, to_json
    from longspan.training.files import write_atomically

    set_threads(arguments)
    done = diagnose_model(
        arguments.model,
        arguments.test,
        columns=columns_of(arguments),
        format=arguments.format,
        search=search_changes(arguments),
        batch_tokens=arguments.batch_tokens,
        device=arguments.device,
    )
    if arguments.out is not None:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(arguments.out, to_json(done).encode())
    print(render_diagnosis(done))
    return 0
