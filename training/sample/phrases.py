"""Phrases whose form does not depend on their place: names, things, numbers, lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from longspan.training.sample.words import NUMBERS, TENS

__all__ = [
    "DEMONSTRATIVES",
    "POSSESSIVES",
    "PRONOUNS",
    "Phrase",
    "english_number",
    "kanji_number",
    "listing",
]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase in both languages."""

    english: str
    japanese: str
    plural: bool = False  # as a subject it takes "are"

    @property
    def words(self) -> int:
        """Number of English words."""
        return len(self.english.split())

    def marked(self, preposition: str, particle: str) -> "Phrase":
        """Return the phrase after an English preposition (or "") and before a particle."""
        return Phrase(f"{preposition} {self.english}".lstrip(), self.japanese + particle)


PRONOUNS = (
    Phrase("he", "彼"),
    Phrase("she", "彼女"),
    Phrase("they", "彼ら", True),
    Phrase("we", "私たち", True),
)
POSSESSIVES = (Phrase("my", "私の"), Phrase("his", "彼の"), Phrase("her", "彼女の"))
DEMONSTRATIVES = (Phrase("this", "この"), Phrase("that", "あの"))


def listing(items: Sequence[Phrase]) -> Phrase:
    """Join phrases: two by and/と, more by commas as in "A, B, and C" and A、B、そしてC."""
    *head, last = items
    if not head:
        return last
    english = ", ".join(item.english for item in head)
    japanese = "、".join(item.japanese for item in head)
    if len(head) == 1:
        return Phrase(f"{english} and {last.english}", f"{japanese}と{last.japanese}", True)
    return Phrase(f"{english}, and {last.english}", f"{japanese}、そして{last.japanese}", True)


_SMALL, _TENS = NUMBERS.split(), TENS.split()
_KANJI = "-一二三四五六七八九"


def english_number(number: int) -> str:
    """Return a number from 1 to 99 in words, such as "forty-five"."""
    if number < len(_SMALL):
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")


def kanji_number(number: int) -> str:
    """Return a number from 1 to 99 in kanji, such as 四十五."""
    tens, ones = divmod(number, 10)
    # Ten is 十 and not 一十.
    text = (_KANJI[tens] if tens > 1 else "") + "十" if tens else ""
    return text + (_KANJI[ones] if ones else "")
