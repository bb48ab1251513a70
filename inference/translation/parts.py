"""Parts: a text that is too long for the model, split where it does the least harm.

A text of several lines is always split at line ends. A line beyond the limit is split at sentence
ends, by the rules of the text's language (library sentencex). A sentence that is still too long is
split at clauses, then words, then anywhere. Nothing is dropped:

    text       Dr. Lee has apples. He eats.\\nWhy?
    parts      |Dr. Lee has apples.|He eats.|Why?|
    joints                         " "     "\\n"  ""      what follows each part in the translation
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from longspan.inference.refusals import TooLong
from longspan.inference.translation.sentences import sentences
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer

__all__ = ["ANY_LENGTH", "Limits", "Part", "SplitText", "split_text"]

# A text with more than this number of characters for each allowed token is refused before it is
# tokenised, which could fill the memory.
_LONGEST_TOKEN = 16  # characters, the limit of SentencePiece
_ALWAYS_READ = 100_000  # characters that are always tokenised
_LINE_ENDS = re.compile(r"(\r\n|\n|\r)")
# Both match between characters, so that the pieces together are the text.
_CLAUSES = re.compile(r"(?<=[,;:\u3001\uff0c\uff1b\uff1a\u2014])")
_WORDS = re.compile(r"(?<=\s)(?=\S)")
# From the least to the most harm. `SplitText.at` is the worst that was needed.
_LEVELS = ("line", "sentence", "clause", "word", "character")

_Ids = tuple[int, ...]
_Encoded = tuple[str, _Ids]


@dataclass(frozen=True)
class Limits:
    """The most source tokens, the end token counted, of a part and of a whole text."""

    part: int = 512
    text: int = 50_000


ANY_LENGTH = Limits(part=sys.maxsize, text=sys.maxsize)


@dataclass(frozen=True)
class Part:
    """One part: its text, its token ids with EOS last, and what follows it in the translation.

    `start` is its first character in the whole text.
    """

    text: str
    ids: tuple[int, ...]
    joint: str = ""
    start: int = 0


@dataclass(frozen=True)
class SplitText:
    """A text as parts; a blank text has none.

    `at` is line, sentence, clause, word or character: what the text was split at, empty for one
    part. `before` are the line ends before the first part.
    """

    parts: tuple[Part, ...]
    at: str = ""
    before: str = ""


def split_text(
    text: str, tokenizer: Tokenizer, limits: Limits, language: str = "en", how: str = "auto"
) -> SplitText:
    """Split a text into parts.

    `how` is auto (where it is needed), sentences (at each sentence end too) or never. Raises
    TooLong for a text beyond `limits.text`, and with never for one beyond `limits.part`.
    """
    if not text.strip():
        return SplitText(())
    if len(text) > max(_ALWAYS_READ, _LONGEST_TOKEN * limits.text):
        raise TooLong(
            f"text: expected at most {limits.text:,} source tokens, got {len(text):,} characters; "
            "send it in several requests"
        )
    ids = tokenizer.encode_source(text)
    if len(ids) > limits.text:
        raise TooLong(
            f"text: expected at most {limits.text:,} source tokens, got {len(ids):,}; send it in "
            "several requests"
        )
    fits = len(ids) <= limits.part
    if how == "never" and not fits:
        raise TooLong(
            f"text: expected at most {limits.part:,} source tokens with split=never, got "
            f"{len(ids):,}; send less text, or let it be split"
        )
    lines = _LINE_ENDS.split(text)
    if fits and (how == "never" or (len(lines) == 1 and how == "auto")):
        return SplitText((Part(text, tuple(ids)),))
    found = _Splitter(tokenizer, limits.part, language, how == "sentences").split(lines)
    return replace(found, parts=tuple(_placed(text, found.parts)))


def _placed(text: str, parts: Sequence[Part]) -> Iterator[Part]:
    """Yield the parts with their places. Between them are only blanks."""
    stop = 0
    for part in parts:
        start = text.index(part.text, stop)
        stop = start + len(part.text)
        yield replace(part, start=start)


class _Splitter:
    """Splits one text, and records the worst level that was needed."""

    def __init__(self, tokenizer: Tokenizer, limit: int, language: str, every: bool) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        self._language = language.split("-")[0]  # the rules are the same for all regions
        self._every = every
        self._worst = 0
        # Sentences are joined as the target language writes them.
        spaced = tokenizer.target.settings.get("prefix_space", True)
        self._space = " " if spaced else ""

    def split(self, lines: Sequence[str]) -> SplitText:
        """Split a text. `lines` are alternating lines and line ends."""
        parts: list[Part] = []
        # Line ends since the last line with text, so blank lines are kept.
        ends = before = ""
        # All lines in one call of the tokenizer.
        encoded = iter(self._encoded([text for text in lines[::2] if text.strip()]))
        # The last line has no end.
        for text, end in zip_longest(lines[::2], lines[1::2], fillvalue=""):
            if text.strip():
                if parts:
                    parts[-1] = replace(parts[-1], joint=ends)
                else:
                    before = ends
                parts += self._line(*next(encoded))
                ends = ""
            ends += end
        if parts:
            parts[-1] = replace(parts[-1], joint=ends)
        at = _LEVELS[self._worst] if len(parts) > 1 else ""
        return SplitText(tuple(parts), at, before)

    def _line(self, line: str, ids: _Ids) -> list[Part]:
        if len(ids) <= self._limit and not self._every:
            return [Part(line, ids)]
        whole = [sentence.strip() for sentence in sentences(line, self._language)]
        fitted = self._fitted([sentence for sentence in whole if sentence], 2)
        # Without the spaces at the cuts, which stay until here: packing joins pieces again.
        bare = [piece.strip() for piece, _ in fitted]
        found = self._encoded([piece for piece in bare if piece])
        if len(found) > 1:
            self._worst = max(self._worst, 1)
        last = len(found) - 1
        return [
            Part(piece, ids, "" if number == last else self._space)
            for number, (piece, ids) in enumerate(found)
        ]

    def _fitted(self, pieces: Sequence[str], level: int) -> list[_Encoded]:
        """Return the pieces; those that are too long are split at this level or a worse one."""
        found: list[_Encoded] = []
        for piece, ids in self._encoded(pieces):
            if len(ids) <= self._limit or len(piece) == 1:
                found.append((piece, ids))
            else:
                found += self._broken(piece, level)
        return found

    def _broken(self, piece: str, level: int) -> list[_Encoded]:
        self._worst = max(self._worst, level)
        if _LEVELS[level] == "character":
            middle = len(piece) // 2
            return self._fitted([piece[:middle], piece[middle:]], level)
        pattern = _CLAUSES if _LEVELS[level] == "clause" else _WORDS
        # Encoded again, because a joined text may have other tokens than its pieces.
        return self._encoded(self._packed(self._fitted(pattern.split(piece), level + 1)))

    def _packed(self, pieces: Sequence[_Encoded]) -> list[str]:
        """Join neighbours again, as many as the limit allows."""
        groups: list[list[str]] = [[]]
        tokens = 0
        for piece, ids in pieces:
            if tokens + len(ids) > self._limit:
                groups.append([])
                tokens = 0
            groups[-1].append(piece)
            tokens += len(ids)
        return ["".join(group) for group in groups if group]

    def _encoded(self, texts: Sequence[str]) -> list[_Encoded]:
        encoded = self._tokenizer.source.encode_batch(texts)
        return [(text, (*ids, EOS)) for text, ids in zip(texts, encoded, strict=True)]
