"""Command-line options of translation, for all commands and jobs that translate."""

import argparse
from typing import Any

__all__ = [
    "add_search_arguments",
    "add_split_argument",
    "positive",
    "search_changes",
    "set_threads",
]

_NAMES = (
    "beam_size", "length_penalty", "coverage_penalty", "max_length_factor", "max_length_offset",
    "no_repeat_ngram_size", "min_length", "max_unread",
)  # fmt: skip


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the search, whose defaults are those of the model, and of the machine."""
    group = parser.add_argument_group("search (defaults: what the model was trained with)")
    group.add_argument("--beam-size", type=int, metavar="K", help="hypotheses kept; 1 is greedy")
    group.add_argument(
        "--length-penalty", type=float, metavar="ALPHA", help="favours long output (Wu et al. 2016)"
    )
    group.add_argument(
        "--coverage-penalty",
        type=float,
        metavar="BETA",
        help="favours output that reads the whole source (Wu et al. 2016); needs attention",
    )
    group.add_argument(
        "--max-length-factor",
        type=float,
        metavar="F",
        help="output may have F times the source's tokens ...",
    )
    group.add_argument("--max-length-offset", type=int, metavar="N", help="... plus N tokens (20)")
    group.add_argument(
        "--no-repeat-ngram-size",
        type=int,
        metavar="N",
        help="so many tokens in a row come once at most in an output; 0: any number of times",
    )
    group.add_argument(
        "--min-length",
        type=int,
        metavar="N",
        help="least target tokens of an output, its end not counted",
    )
    group.add_argument(
        "--max-unread",
        type=int,
        metavar="N",
        help="forbid the end of an output while attention has left over N source tokens unread",
    )
    machine = parser.add_argument_group("machine")
    machine.add_argument(
        "--batch-tokens",
        type=positive,
        default=4096,
        metavar="N",
        help="source tokens of a batch (default: 4096); longer text is a batch of its own",
    )
    machine.add_argument("--threads", type=positive, metavar="N", help="CPU threads")
    machine.add_argument("--device", help="cpu, cuda, cuda:1 ... (default: a GPU if there is one)")


def add_split_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that says whether each sentence of a text is translated on its own."""
    parser.add_argument(
        "--split",
        choices=("never", "sentences"),
        default="never",
        help="sentences: translate each sentence of a line on its own and join the translations "
        "(default: never, but a line at a time, however long)",
    )


def search_changes(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the search options by name; None for those that were not given."""
    return {name: getattr(arguments, name) for name in _NAMES}


def set_threads(arguments: argparse.Namespace) -> None:
    """Set the number of CPU threads where --threads was given."""
    if arguments.threads is not None:
        import torch

        torch.set_num_threads(arguments.threads)


def positive(text: str) -> int:
    """Parse an integer of at least 1, for `type=`."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return number
