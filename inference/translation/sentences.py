"""Sentences of a text, by the rules of its language (library sentencex and `sentence_rules`).

The library looks back from each sentence end to the start of the text. That takes seconds for a
text of 100,000 characters without spaces, so a long text is read through a window:

    text     |---s1---|--s2--|-----s3-----|---s4---|--s5--|...
    window   |============================|       s1 and s2 end in its first half: taken
    window                   |============================|     the next one begins after s2
"""

import re
from collections.abc import Iterator, Sequence

from sentencex import segment

from longspan.inference.translation.sentence_rules import joined_quotations, more_sentences

__all__ = ["sentences"]

_WINDOW = 4000  # characters
# Where a sentence that is longer than a window may be cut: after a space, else after a bracket.
_SAFE = (re.compile(r"(?s).*\s"), re.compile(r"(?s).*[)\]}»”’」』）】》〉]"))


def sentences(text: str, language: str, window: int = _WINDOW) -> list[str]:
    """Split a line into sentences; joined, they are the line.

    A line of more than `window` characters is read in windows, each from the end of a sentence. The
    sentences of a window's first half are taken, because enough text follows them to be read as in
    the whole line. One difference remains: a quotation mark without its partner, which the library
    matches with those of the whole line, is matched within its window.
    """
    pieces = joined_quotations(_segmented(text, language, window))
    return [sentence for piece in pieces for sentence in more_sentences(piece)]


def _segmented(text: str, language: str, window: int) -> list[str]:
    """Split a line by the library alone."""
    found: list[str] = []
    begun = ""  # the start of a sentence that is longer than a window
    for ended, beginning in _windows(text, language, window):
        if ended:
            found.append(begun + ended[0])
            found.extend(ended[1:])
            begun = ""
        begun += beginning
    return [*found, begun] if begun else found


def _windows(text: str, language: str, window: int) -> Iterator[tuple[Sequence[str], str]]:
    """Yield the sentences that end in each window, and the start of one that does not end there."""
    start = 0
    while len(text) - start > window:
        taken = _taken(segment(language, text[start : start + window]), window)
        yield taken
        start += sum(map(len, taken[0])) + len(taken[1])
    yield segment(language, text[start:]), ""


def _taken(pieces: Sequence[str], window: int) -> tuple[Sequence[str], str]:
    """Return the sentences to take from a window that ends within the text, and the start of one.

    Together they are at least a quarter of the window, so that the reading makes progress.
    """
    size = 0
    for number, piece in enumerate(pieces[:-1], 1):
        size += len(piece)
        if size >= window // 2:
            return pieces[:number], ""
    if size > window // 4:
        return pieces[:-1], ""
    return pieces[:-1], _beginning(pieces[-1])


def _beginning(piece: str) -> str:
    """Return the start of a piece up to a space or bracket, at least half of it; else all of it."""
    for pattern in _SAFE:
        match = pattern.match(piece)
        if match is not None and 2 * match.end() >= len(piece):
            return match[0]
    return piece
