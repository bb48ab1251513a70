"""Loops: hypotheses that repeat one n-gram without end.

A decoder that has lost its place falls into a loop and goes on to the length limit, because the
model finds each repetition more probable than the last (Holtzman et al. 2020,
https://arxiv.org/abs/1904.09751). A hypothesis is in a loop when its last `REPEATS` n-grams are
equal, n is at most `LONGEST_PERIOD`, and they are at least `LEAST` tokens together:

    ... he said that | he said that | he said that | ...      period 3

None of 71,000 Japanese segments of film subtitles, manuals and Wikipedia comes near: at most 19
tokens with periods up to 6, and 4 repetitions with a longer one (a chant). Where the source repeats
itself, the output may do so for twice as many tokens.
"""

import numpy as np
from numpy.typing import NDArray

from longspan.inference.search.arrays import Integers

__all__ = ["LEAST", "LONGEST_PERIOD", "REPEATS", "Loops"]

REPEATS = 5
LEAST = 24
LONGEST_PERIOD = 32
_WINDOW = REPEATS * LONGEST_PERIOD  # number of last tokens that are stored
_FAMILIAR = 3  # repetitions in a source that allow the output to repeat itself too
_ALLOWANCE = 2  # tokens that the output may repeat, over the tokens that the source repeats
# A check takes more time than a step, so it is done for 4 steps of every 16. A character has at
# most 4 bytes, so a hypothesis is between two characters at one of these steps.
_EVERY, _IN_A_ROW = 16, 4
_PREFIX = 3  # tokens that are compared to find the periods worth a full check


class Loops:
    """The last tokens of live hypotheses."""

    def __init__(self, source: Integers, lengths: Integers) -> None:
        """source (sentence, source) of `lengths` (sentence,); begins with one row a sentence."""
        self._source, self._lengths = source, lengths
        self._last = np.zeros((len(lengths), _WINDOW), np.int32)  # a ring buffer a row
        self._length = 0

    @property
    def are_due(self) -> bool:
        """Whether loops are looked for after the next token."""
        length = self._length + 1
        return length >= LEAST and length % _EVERY < _IN_A_ROW

    def grow(self, rows: Integers, tokens: Integers) -> None:
        """Go on from these rows of the last step, each with one more token."""
        self._last = self._last[rows]
        self._last[:, self._length % _WINDOW] = tokens
        self._length += 1

    def found(self, rows: Integers, tokens: Integers, sentences: Integers) -> NDArray[np.bool_]:
        """Return whether each of these rows with its next token, is in a loop."""
        count = min(self._length, _WINDOW - 1)
        newest_first = (self._length - 1 - np.arange(count)) % _WINDOW
        last = np.concatenate([tokens[:, None], self._last[rows][:, newest_first]], axis=1)
        found = np.zeros(len(rows), np.bool_)
        for row, period in zip(*_candidates(last), strict=True):
            found[row] = found[row] or self._is_loop(last[row], period, sentences[row])
        return found

    def _is_loop(self, last: Integers, period: int, sentence: int) -> bool:
        wanted = max(LEAST, REPEATS * period)
        if not _repeats(last, period, wanted):
            return False
        own = self._source[sentence, : self._lengths[sentence]]
        allowed = _ALLOWANCE * _longest_stretch(own)
        return allowed < wanted or _repeats(last, period, allowed)


def _candidates(last: Integers) -> tuple[list[int], list[int]]:
    """Return rows and periods where the last `_PREFIX` tokens also stood a period earlier.

    Short periods come first.
    """
    periods = min(LONGEST_PERIOD, last.shape[1] - _PREFIX)
    alike = np.ones((len(last), periods), np.bool_)
    for k in range(_PREFIX):
        alike &= last[:, k + 1 : k + 1 + periods] == last[:, k, None]
    rows, starts = alike.nonzero()
    return rows.tolist(), (starts + 1).tolist()


def _repeats(last: Integers, period: int, tokens: int) -> bool:
    """Return whether the newest `tokens` repeat one n-gram; `last` has the newest token first."""
    if len(last) < tokens:
        return False
    return bool((last[period:tokens] == last[: tokens - period]).all())


def _longest_stretch(ids: Integers) -> int:
    """Return the length of the longest stretch that has one n-gram `_FAMILIAR` times or more."""
    longest = 0
    for period in range(1, min(LONGEST_PERIOD, len(ids) // _FAMILIAR) + 1):
        alike = np.concatenate([[False], ids[period:] == ids[:-period], [False]])
        edges = np.flatnonzero(alike[1:] != alike[:-1])
        stretch = int((edges[1::2] - edges[::2]).max(initial=-period)) + period
        if stretch >= _FAMILIAR * period:
            longest = max(longest, stretch)
    return longest
