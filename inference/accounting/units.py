"""Units: a text's tokens in groups of a clause or a short sentence, which are compared in pairs."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

__all__ = ["Unit", "split_units"]

Unit = tuple[int, int]  # start and stop, in tokens

# Marks that end a clause. Western ones count before white space, so that 3.5 and 10:30 stay whole.
_END = re.compile(
    r"[.!?;:,]+[\"'\u2019\u201d)\]]*(?=\s)"
    r"|[\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1b\uff1a\u2026\u061f\u060c\u0964]+"
    r"[\u300d\u300f\uff09\u201d\"')]*"
    r"|\n"
)
_LEAST, _MOST = 3, 40  # tokens of a unit


def split_units(text: str, offsets: Sequence[tuple[int, int]]) -> list[Unit]:
    """Split the tokens of a text after the marks that end a clause.

    `offsets` are the characters of each token. A unit has at least 3 tokens, where the text has as
    many, and at most 40: a longer clause is split between two words near its middle. The units
    together are all tokens.
    """
    pieces: list[Unit] = []
    start = 0
    for stop in _ends(text, offsets):
        if stop - start >= _LEAST:
            pieces.append((start, stop))
            start = stop
    if start < len(offsets):  # too short to be a unit
        pieces[-1:] = [(pieces[-1][0] if pieces else 0, len(offsets))]
    return [unit for piece in pieces for unit in _short(text, offsets, *piece)]


def _ends(text: str, offsets: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Yield the number of tokens up to each mark, and that of all tokens."""
    ends = [found.end() for found in _END.finditer(text)]
    place = 0
    for number, (_, stop) in enumerate(offsets, 1):
        passed = bisect_right(ends, stop)
        if passed > place:
            yield number
        place = passed
    yield len(offsets)


def _short(text: str, offsets: Sequence[tuple[int, int]], start: int, stop: int) -> Iterator[Unit]:
    if stop - start <= _MOST:
        yield start, stop
        return
    middle, quarter = (start + stop) // 2, (stop - start) // 4
    words = [n for n in range(start + quarter, stop - quarter) if _begins_word(text, offsets, n)]
    # Without spaces between words, the middle itself will do.
    cut = min(words, key=lambda n: abs(n - middle), default=middle)
    yield from _short(text, offsets, start, cut)
    yield from _short(text, offsets, cut, stop)


def _begins_word(text: str, offsets: Sequence[tuple[int, int]], number: int) -> bool:
    start = offsets[number][0]
    return offsets[number - 1][1] < start or text[start : start + 1].isspace()
