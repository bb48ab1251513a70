"""Rules for sentence ends that the library sentencex lacks.

A quotation that ends in a full stop may stand within a sentence, so some cuts are taken back:

    「はい。」|と言った。  ->  「はい。」と言った。

Some scripts mark ends in other ways, so some cuts are added. Khmer, Burmese and Tibetan have signs
of their own. Thai and Lao write no sign, and a space only between sentences and clauses:

    ผมชื่อสมชาย ผมเป็นคนไทย  ->  ผมชื่อสมชาย |ผมเป็นคนไทย

All rules take time in proportion to the text.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

__all__ = ["joined_quotations", "more_sentences"]

_CLOSING = "」』”’»›\"'）)]】》〉"
_OPENING = "「『“‘«‹（(【《〈"
# What follows a quotation within a sentence. Japanese: a particle, but no word that begins like
# one. Korean: the ending of a quotation. Chinese: who said it, in a few characters.
_GOES_ON = re.compile(
    "と(?!ても|もあれ|もかく|もに|ころ|にかく|りあえず|き|うとう|ある|いえば)"
    "|って|など|なんて|を|の(?![ちんぞ])|が(?![んっ])"
    "|이?라[고며는던]|하[고며]|고[ ,]"
    "|[^\\s，。！？：；、“”「」]{0,6}[说說问問道喊叫答][，。：；！？]"
)
# A sign of the end, what closes after it, and spaces. A single Tibetan shad also stands within
# sentences, and ends one where a space follows.
_SIGNS = re.compile(f"(?:[។៕။༎༏༐]+[{re.escape(_CLOSING)}]*\\s*|།[{re.escape(_CLOSING)}]*\\s+)")
# A space between two letters of a script without signs. Not before the marks of repetition and
# abbreviation, nor before the particles of politeness, which belong to the sentence before.
_LETTERS = "\u0e01-\u0e2e\u0e30-\u0e45\u0e47-\u0e4e\u0e81-\u0ec4\u0ec8-\u0ecd\u0edc-\u0edf"
_SPACES = re.compile(f"(?<=[{_LETTERS}]) +(?=[{_LETTERS}])(?!ครับ|ค่ะ|คะ|นะ|จ้ะ|จ้า)")
_LEAST = 8  # characters of a sentence in such a script; shorter ones are words of a list


def joined_quotations(pieces: Sequence[str]) -> list[str]:
    """Join sentences that were cut after a quotation within them; joined, all are the same text."""
    goes_on = [False] * len(pieces)  # whether each piece goes on with the next one
    # From the last one: in a row of quotations, each goes on if the one after it does.
    for i in range(len(pieces) - 2, -1, -1):
        goes_on[i] = _goes_on(pieces[i], pieces[i + 1], then=goes_on[i + 1])
    found: list[list[str]] = []
    for i, piece in enumerate(pieces):
        if i and goes_on[i - 1]:
            found[-1].append(piece)
        else:
            found.append([piece])
    return ["".join(group) for group in found]


def more_sentences(piece: str) -> list[str]:
    """Split at the ends that only the script shows; joined, the sentences are the piece."""
    if piece.isascii():
        return [piece]
    cuts = [0, *sorted({*_after_signs(piece), *_at_spaces(piece)}), len(piece)]
    return [piece[a:b] for a, b in pairwise(cuts) if b > a]


def _goes_on(piece: str, following: str, *, then: bool) -> bool:
    if not piece or piece[-1].isspace():
        return False
    if following[:1] in _CLOSING[:6]:
        return True
    if piece[-1] not in _CLOSING:
        return False
    # `then`: the quotation that follows goes on.
    return _GOES_ON.match(following) is not None or (then and following[:1] in _OPENING)


def _after_signs(piece: str) -> Iterator[int]:
    return (match.end() for match in _SIGNS.finditer(piece))


def _at_spaces(piece: str) -> Iterator[int]:
    begun, last = 0, len(piece.rstrip()) - _LEAST
    for match in _SPACES.finditer(piece):
        if match.start() - begun >= _LEAST and match.end() <= last:
            yield match.end()
            begun = match.end()
