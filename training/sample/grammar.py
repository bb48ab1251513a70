"""A grammar that makes English sentences of a wanted length with their Japanese.

A sentence is one tree (`longspan.training.sample.statements`), grown until it has the words asked
for, then rendered twice; the Japanese is a function of the English. Long sentences are chains
of clauses with subordination, quotation, relative clauses and lists inside, so that their
content grows with their length: no fixed vector carries it.
"""

from dataclasses import dataclass

from longspan.training.buckets import count_words
from longspan.training.sample.clause_builder import ClauseBuilder
from longspan.training.sample.conjugation import Form
from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.lexicon import Lexicon
from longspan.training.sample.noun_builder import NounBuilder
from longspan.training.sample.phrases import Phrase
from longspan.training.sample.setting import Setting
from longspan.training.sample.special import SpecialBuilder
from longspan.training.sample.statements import Chain, Link, Unit
from longspan.training.sample.unit_builder import UnitBuilder

__all__ = ["GRAMMAR_VERSION", "LONGEST", "SHORTEST", "Grammar", "Sentence", "tolerance"]

GRAMMAR_VERSION = 1
SHORTEST, LONGEST = 3, 300

_LINKS = Weighted(
    [
        Link(", and ", Form.CONTINUATIVE, "、"),
        Link(", but ", Form.PLAIN, "が、"),
        Link(", so ", Form.LINKED, "ので、", "が"),
        Link(", and then ", Form.TE, "、それから"),
        Link(", and as a result, ", Form.CONTINUATIVE, "、その結果、"),
    ],
    [48, 20, 14, 12, 6],
)
_AND = _LINKS.items[0]
_OPENINGS = (
    ("However, ", "しかし、"),
    ("After that, ", "その後、"),
    ("Therefore, ", "そのため、"),
    ("In addition, ", "さらに、"),
)
_TRIES = 12


@dataclass(frozen=True, slots=True)
class Sentence:
    """One pair, with capital letter and full stop."""

    english: str
    japanese: str


def tolerance(words: int) -> int:
    """How many words a sentence may miss its wanted length by: 5 percent, at least one."""
    return max(1, words // 20)


class Grammar:
    """A stream of sentences; two grammars with the same seed text say the same."""

    def __init__(self, seed: str) -> None:
        self._dice = Dice(seed)
        lexicon = Lexicon.load()
        self._nouns = NounBuilder(self._dice, lexicon)
        clauses = ClauseBuilder(self._dice, lexicon, self._nouns)
        self._units = UnitBuilder(self._dice, self._nouns, clauses)
        self._special = SpecialBuilder(self._dice, self._nouns, clauses)

    def new_document(self) -> None:
        """Choose the people that the next sentences are about."""
        names: list[Phrase] = [self._nouns.name(), self._nouns.name()]
        self._nouns.cast = (*names, self._nouns.definite("person"))

    def sentence(self, words: int, *, opening: bool = False) -> Sentence:
        """A sentence of `words` words, give or take `tolerance`.

        `opening` allows a first word that ties it to the sentence before ("However,").
        """
        if words < SHORTEST:
            raise ValueError(f"a sentence has {SHORTEST} words or more, not {words}")
        while True:
            made = self._attempt(words, opening)
            length = count_words(made.english)
            if length >= SHORTEST and abs(length - words) <= tolerance(words):
                return made

    def _attempt(self, words: int, opening: bool) -> Sentence:
        if 4 <= words <= 14 and self._dice.chance(0.14):
            question = self._special.any(words)
            return Sentence(_capital(question.english()), question.japanese() + "。")
        chain = self._chain(words, opening)
        return Sentence(_capital(chain.english()) + ".", chain.japanese() + "。")

    def _chain(self, words: int, opening: bool) -> Chain:
        past = self._dice.chance(0.65)
        first = ("", "")
        if opening and words >= 7 and self._dice.chance(0.2):
            first = self._dice.pick(_OPENINGS)
            words -= count_words(first[0])
        units: list[Unit] = []
        links: list[Link] = []
        left = words
        while left > 0:
            share = self._share(left)
            last = share == left
            if units:
                links.append(self._link(units[-1], links[-1] if links else None))
                # The comma hangs on the word before it.
                joint = count_words(links[-1].english.lstrip(","))
                share -= joint if last else 0
                left -= joint
            before = links[-1] if links else None
            # One introduction is enough: no "However, yesterday, Ken ...".
            introduced = before.english.endswith(", ") if before else bool(first[0])
            setting = Setting(past, front=not introduced)
            unit = self._unit(setting, share, before, last=last)
            units.append(unit)
            left -= count_words(unit.english())
            if last:
                break
        return Chain(tuple(units), tuple(links), first)

    def _share(self, left: int) -> int:
        """Words of the next unit: what is left where that is little enough for one."""
        if left <= 8 or (left <= 18 and self._dice.chance(0.5)):
            return left
        return self._dice.integer(4, min(17, left - 4))

    def _unit(self, setting: Setting, budget: int, before: Link | None, *, last: bool) -> Unit:
        """A unit of about `budget` words; the last one makes the sentence's length."""
        reason = before is None or before.form is not Form.LINKED
        unit = self._units.unit(setting, budget, reason=reason)
        for _ in range(_TRIES if last else 0):
            if abs(count_words(unit.english()) - budget) <= 1:
                break
            unit = self._units.unit(setting, budget, reason=reason)
        return unit

    def _link(self, before: Unit, last: Link | None) -> Link:
        """Any link that fits, but not the same one twice in a row, "and" aside."""
        link = self._dice.draw(_LINKS)
        fits = link is not last and (link.form is not Form.TE or before.sequential)
        return link if fits else _AND


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
