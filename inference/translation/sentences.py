"""Sentences: where a text's own sentences end, by the rules of its language (library sentencex).

The library looks back from each end to the start of the text, which takes seconds where a text of
100,000 characters has no spaces. So a long one is read through a window.
"""

import re
from collections.abc import Iterator, Sequence

from sentencex import segment

__all__ = ["sentences"]

_WINDOW = 4000  # characters
# Where a window may end within a sentence that is longer: after a space, else after a bracket.
_SAFE = (re.compile(r"(?s).*\s"), re.compile(r"(?s).*[)\]}»”’」』）】》〉]"))


def sentences(text: str, language: str, window: int = _WINDOW) -> list[str]:
    """The sentences of a line; joined, they are the line.

    One of more than `window` characters is read in windows, each from the end of a sentence on. Of
    what a window holds its first half is taken, which has enough after it to be read as in the
    whole line. Only a quotation mark without its partner, which the library makes up for by those
    of the whole line, may now make a difference within its window.
    """
    found: list[str] = []
    begun = ""  # a sentence that is longer than the windows it was read in
    for ended, beginning in _windows(text, language, window):
        if ended:
            found.append(begun + ended[0])
            found.extend(ended[1:])
            begun = ""
        begun += beginning
    return [*found, begun] if begun else found


def _windows(text: str, language: str, window: int) -> Iterator[tuple[Sequence[str], str]]:
    """Of each window the sentences that end in it, and the beginning of one that does not."""
    start = 0
    while len(text) - start > window:
        taken = _taken(segment(language, text[start : start + window]), window)
        yield taken
        start += sum(map(len, taken[0])) + len(taken[1])
    yield segment(language, text[start:]), ""


def _taken(pieces: Sequence[str], window: int) -> tuple[Sequence[str], str]:
    """What may be taken of the pieces of a window that ends within the text: at least a quarter of
    it, so that there is an end to the reading."""
    size = 0
    for number, piece in enumerate(pieces[:-1], 1):
        size += len(piece)
        if size >= window // 2:
            return pieces[:number], ""
    if size > window // 4:
        return pieces[:-1], ""
    return pieces[:-1], _beginning(pieces[-1])


def _beginning(piece: str) -> str:
    """As much of a piece as ends at a safe place, at least half of it."""
    for pattern in _SAFE:
        match = pattern.match(piece)
        if match is not None and 2 * match.end() >= len(piece):
            return match[0]
    return piece
