"""Two parallel files: line n of one is the translation of line n of the other."""

from collections.abc import Iterator
from itertools import zip_longest

from longspan.training.errors import DataError
from longspan.training.pairs.rows import Report, Row, decode
from longspan.training.pairs.streams import lines

__all__ = ["read_parallel"]


def read_parallel(
    source_chunks: Iterator[bytes],
    target_chunks: Iterator[bytes],
    names: tuple[str, str],
    report: Report,
) -> Iterator[Row]:
    """Yield line n of one file with line n of the other.

    Raises DataError at the first line that only one of the two files has.
    """
    sides = (lines(source_chunks, names[0]), lines(target_chunks, names[1]))
    for number, (source, target) in enumerate(zip_longest(*sides), start=1):
        if source is None or target is None:
            short, long = names if source is None else (names[1], names[0])
            raise DataError(
                f"{long}:{number}: expected parallel files of as many lines each, but {short} "
                f"ends after line {number - 1}; align the two files again"
            )
        left = decode(source[1], names[0], number, report)
        # A row is reported once, even if both of its sides are damaged.
        right = decode(target[1], names[1], number, report) if left is not None else None
        if left is not None and right is not None:
            yield Row(number, left, right)
