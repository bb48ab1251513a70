"""Spelling: the bytes of an output make whole characters of UTF-8, whatever the model prefers.

A vocabulary with byte fallback spells what no piece covers in tokens of one byte. Nothing keeps a
model from a byte out of place, or from stopping within a character. So the search bars, row by
row, what could not go on or end as UTF-8 (RFC 3629, section 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longspan.inference.search.arrays import Floats, Integers
from longspan.training.tokenizer.tokenizer import BOS, EOS, PAD, Tokenizer

__all__ = ["Bars", "Characters", "Spelling"]

# Of a hypothesis between two characters. Within one there is a state for the bytes that may follow,
# and the state after them.
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
# The first bytes of characters: how many bytes the character has, and the state after this one.
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
    """Tokens that each row must not output next.

    `table` (kinds, tokens + 1) holds 0 for a token that may come and -inf for one that must not;
    its last column stands for all tokens from there on. `kinds` (rows,) names each row's line.
    """

    table: Floats
    kinds: Integers


class Spelling:
    """The tables of one target vocabulary, of which `byte_tokens` are token and byte value.

    Without any, only PAD and BOS are barred, and EOS where an output must not end yet.
    """

    def __init__(self, byte_tokens: Mapping[int, int] | None = None) -> None:
        tokens = byte_tokens or {}
        size = max(EOS, *tokens) + 2 if tokens else EOS + 2
        by_byte = {value: token for token, value in tokens.items()}
        self.known = size - 1  # tokens with a column of their own
        self.next: Integers = np.zeros((_STATES, size), np.int64)
        # (must not end yet, most bytes of a character that begins here, state, token)
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
        """The spelling of the target side."""
        return cls(tokenizer.target.byte_tokens)

    def _bar_start(self, byte_tokens: list[int]) -> None:
        self._table[:, :, _START, [PAD, BOS, *byte_tokens]] = -np.inf
        self._table[1, :, _START, EOS] = -np.inf


class Characters:
    """How far into a character each live hypothesis is."""

    def __init__(self, rows: int, spelling: Spelling) -> None:
        self._spelling = spelling
        self._states: Integers = np.full(rows, _START)

    def bars(self, left: Integers, *, may_end: bool) -> Bars:
        """For the next token of each row; `left` (rows,) are the tokens that it may still have.

        No character begins that could not be finished.
        """
        room = np.maximum(np.minimum(left, _LONGEST), 1) - 1  # np.clip takes four times as long
        kinds = ((0 if may_end else _LONGEST) + room) * _STATES + self._states
        return Bars(self._spelling.table, kinds)

    def grow(self, rows: Integers, tokens: Integers) -> None:
        """Go on from these rows of the last step, each with a token more."""
        self._states = self._after(rows, tokens)

    def whole(self, rows: Integers, tokens: Integers) -> NDArray[np.bool_]:
        """Whether each of these rows of the last step ends a character with its next token."""
        between: NDArray[np.bool_] = self._after(rows, tokens) == _START
        return between

    def _after(self, rows: Integers, tokens: Integers) -> Integers:
        columns = np.minimum(tokens, self._spelling.known)
        states: Integers = self._spelling.next[self._states[rows], columns]
        return states
