"""Cells: the size of the alignments that a request asks for, known before anything is translated.

An alignment has a row for each token of the translation and a column for each of the source, and
the two are about as many: what a text of n tokens answers grows with n squared.
"""

from collections.abc import Iterable

from longspan.inference.refusals import TooLong
from longspan.inference.requests.options import Options
from longspan.inference.translation.parts import SplitText

__all__ = ["MOST_CELLS", "check_cells"]

MOST_CELLS = 25_000_000  # of up to seven bytes of JSON each


def check_cells(asked: Iterable[tuple[Options, SplitText]]) -> None:
    """Raises TooLong where the alignments of a request together would be beyond `MOST_CELLS`."""
    cells = sum(_cells(options, parts) for options, parts in asked if options.alignment)
    if cells > MOST_CELLS:
        raise TooLong(
            f"alignment: expected at most {MOST_CELLS:,} cells (source tokens squared, times "
            f"n_best), came {cells:,}: ask for it with less text at a time"
        )


def _cells(options: Options, parts: SplitText) -> int:
    return sum(len(part.ids) for part in parts.parts) ** 2 * (options.n_best or 1)
