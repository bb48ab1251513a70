"""Spelling: the bytes of an output always make whole characters of UTF-8.

A vocabulary with byte fallback spells a character without a piece of its own in tokens of one byte
each. A model may put such a byte in a wrong place, or stop within a character. So the search
forbids, for each hypothesis, the tokens after which the output could not be UTF-8 (RFC 3629,
section 4). Each hypothesis is in one state:

    between two characters (_START) --E3--> 2 bytes left --81--> 1 byte left --82--> _START  (あ)
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longspan.inference.search.arrays import Floats, Integers
from longspan.training.tokenizer.tokenizer import BOS, EOS, PAD, Tokenizer

__all__ = ["Bars", "Characters", "Spelling"]

# State of a hypothesis between two characters. Each state within a character has the bytes that may
# follow, and the state after them.
_START = 0
_FOLLOWING: Mapping[int, tuple[range, int]] = {
    1: (range(0x80, 0xC0), _START),
    2: (range(0x80, 0xC0), 1),
    3: (range(0x80, 0xC0), 2),
    4: (range(0xA0, 0xC0), 1),  # after E0
    5: (range(0x80, 0xA0), 1),  # after ED: no surrogates
    6: (range(0x90, 0xC0), 2),  # after F0
    7: (range(0x80, 0x90), 2),  # after F4
}
_STATES = 1 + len(_FOLLOWING)
# First bytes of a character, the number of bytes of the character, and the state after the first.
_LEADS: tuple[tuple[range, int, int], ...] = (
    (range(0x80), 1, _START),
    (range(0xC2, 0xE0), 2, 1),
    (range(0xE0, 0xE1), 3, 4),
    (range(0xE1, 0xED), 3, 2),
    (range(0xED, 0xEE), 3, 5),
    (range(0xEE, 0xF0), 3, 2),
    (range(0xF0, 0xF1), 4, 6),
    (range(0xF1, 0xF4), 4, 3),
    (range(0xF4, 0xF5), 4, 7),
)
_LONGEST = 4  # bytes of a character


@dataclass(frozen=True)
class Bars:
    """The forbidden next tokens of each row, as numbers to add to the logits.

    `table` (kinds, tokens + 1) holds 0 for an allowed token and -inf for a forbidden one. Its last
    column stands for all tokens of higher ids. `kinds` (rows,) is the line of the table for each
    row of logits.
    """

    table: Floats
    kinds: Integers


class Spelling:
    """The tables of one target vocabulary.

    `byte_tokens` are the byte values of the tokens that spell one byte. Without any, PAD and BOS
    are forbidden, and EOS where an output must not end yet.
    """

    def __init__(self, byte_tokens: Mapping[int, int] | None = None) -> None:
        tokens = byte_tokens or {}
        size = max(EOS, *tokens) + 2 if tokens else EOS + 2
        by_byte = {value: token for token, value in tokens.items()}
        self.known = size - 1  # tokens with a column of their own
        self.next: Integers = np.zeros((_STATES, size), np.int64)
        # (must not end yet, bytes left for a character that begins here, state, token)
        self._table: Floats = np.zeros((2, _LONGEST, _STATES, size), np.float32)
        self._bar_start(list(tokens))
        for values, length, state in _LEADS:
            columns = [by_byte[value] for value in values if value in by_byte]
            self._table[:, length - 1 :, _START, columns] = 0.0
            self.next[_START, columns] = state
        for state, (values, after) in _FOLLOWING.items():
            columns = [by_byte[value] for value in values if value in by_byte]
            self._table[:, :, state] = -np.inf
            self._table[:, :, state, columns] = 0.0
            self.next[state, columns] = after
        self.table = self._table.reshape(-1, size)

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Spelling":
        """Build the spelling of a tokenizer's target side."""
        return cls(tokenizer.target.byte_tokens)

    def _bar_start(self, byte_tokens: list[int]) -> None:
        self._table[:, :, _START, [PAD, BOS, *byte_tokens]] = -np.inf
        self._table[1, :, _START, EOS] = -np.inf


class Characters:
    """The state of each live hypothesis: between two characters, or how far into one."""

    def __init__(self, rows: int, spelling: Spelling) -> None:
        self._spelling = spelling
        self._states: Integers = np.full(rows, _START)

    def bars(self, left: Integers, *, may_end: NDArray[np.bool_] | bool) -> Bars:
        """Return the forbidden next tokens.

        `may_end` says whether an output may end here, for all rows or for each (rows,). `left`
        (rows,) is how many tokens each row may still have. A character that needs more bytes than
        are left may not begin.
        """
        room = np.maximum(np.minimum(left, _LONGEST), 1) - 1  # np.clip takes four times as long
        kinds = (_LONGEST * np.logical_not(may_end) + room) * _STATES + self._states
        return Bars(self._spelling.table, kinds)

    def grow(self, rows: Integers, tokens: Integers) -> None:
        """Go on from these rows of the last step, each with one more token."""
        self._states = self._after(rows, tokens)

    def whole(self, rows: Integers, tokens: Integers) -> NDArray[np.bool_]:
        """Return whether each of these rows, with its next token, is between two characters."""
        between: NDArray[np.bool_] = self._after(rows, tokens) == _START
        return between

    def _after(self, rows: Integers, tokens: Integers) -> Integers:
        columns = np.minimum(tokens, self._spelling.known)
        states: Integers = self._spelling.next[self._states[rows], columns]
        return states
