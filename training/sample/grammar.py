"""A grammar that makes English sentences of a wanted length with their Japanese.

A sentence is one tree (`longspan.training.sample.clauses`), rendered twice; the Japanese is a
function of the English. Long sentences are chains of clauses with subordination, quotation,
relative clauses and lists inside, so that their content grows with their length: no fixed vector
carries it.
"""

from dataclasses import dataclass, replace

from longspan.training.buckets import count_words
from longspan.training.sample.clause_builder import ClauseBuilder, Setting, Shape
from longspan.training.sample.clauses import (
    Chain,
    Clause,
    Conjunction,
    Link,
    Quotation,
    Subordination,
    Unit,
    VerbPhrase,
)
from longspan.training.sample.conjugation import Form, Kind, Predicate, progressive
from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.english import regular_verb
from longspan.training.sample.lexicon import Lexicon
from longspan.training.sample.nouns import NounBuilder
from longspan.training.sample.phrases import Phrase

__all__ = ["GRAMMAR_VERSION", "LONGEST", "SHORTEST", "Grammar", "Sentence", "tolerance"]

GRAMMAR_VERSION = 2
SHORTEST, LONGEST = 3, 300

_LINKS = Weighted(
    [
        Link(", and ", Form.CONTINUATIVE, "、"),
        Link(", but ", Form.PLAIN, "が、"),
        Link(", so ", Form.LINKED, "ので、", "が"),
        Link(", and then ", Form.TE, "、それから"),
    ],
    [50, 22, 14, 14],
)
_AND = _LINKS.items[0]
_OPENINGS = (
    Phrase("However, ", "しかし、"),
    Phrase("After that, ", "その後、"),
    Phrase("Therefore, ", "そのため、"),
)
_BECAUSE = Conjunction("because", Form.LINKED, "ので")
_BECAUSE_BEHIND = Conjunction("because", Form.PLAIN, "から")
_ALTHOUGH = Conjunction("although", Form.PLAIN, "けれども")
_WHEN = Conjunction("when", Form.PLAIN, "時")
_BEFORE = Conjunction("before", Form.DICTIONARY, "前に")
_AFTER = Conjunction("after", Form.PERFECT, "後に")
_IF = Conjunction("if", Form.CONDITIONAL, "")
_PAST = Weighted([_BECAUSE, _WHEN, _ALTHOUGH, _AFTER, _BEFORE], [6, 6, 4, 4, 3])
_OTHER = Weighted([_BECAUSE, _IF, _ALTHOUGH, _AFTER, _BEFORE], [6, 6, 4, 4, 3])
_SAYING = (
    (regular_verb("say", "said"), Predicate("言う", Kind.GODAN)),
    (regular_verb("think", "thought"), Predicate("思う", Kind.GODAN)),
    (regular_verb("hear", "heard"), Predicate("聞く", Kind.GODAN)),
)
_CONTENTS = (
    Setting(True, Shape.EVENT),
    Setting(False, Shape.FUTURE),
    Setting(False, Shape.STATE),
)
_TRIES = 12


@dataclass(frozen=True, slots=True)
class Sentence:
    """One pair, with capital letter and full stop."""

    english: str
    japanese: str


def tolerance(words: int) -> int:
    """Return how many words a sentence may miss its wanted length by: 5 percent, at least one."""
    return max(1, words // 20)


class Grammar:
    """A stream of sentences; two grammars with the same seed text say the same."""

    def __init__(self, seed: str) -> None:
        self._dice = Dice(seed)
        lexicon = Lexicon.load()
        self._nouns = NounBuilder(self._dice, lexicon)
        self._clauses = ClauseBuilder(self._dice, lexicon, self._nouns)

    def new_document(self) -> None:
        """Choose the people that the next sentences are about."""
        self._nouns.new_cast()

    def sentence(self, words: int, *, opening: bool = False) -> Sentence:
        """Return a sentence of `words` words, give or take `tolerance`.

        `opening` allows a first word that ties it to the sentence before ("However,"). Raises
        ValueError for fewer than `SHORTEST` words.
        """
        if words < SHORTEST:
            raise ValueError(f"a sentence has {SHORTEST} words or more, not {words}")
        while True:
            made = self._attempt(words, opening)
            length = count_words(made.english)
            if length >= SHORTEST and abs(length - words) <= tolerance(words):
                return made

    def _attempt(self, words: int, opening: bool) -> Sentence:
        if words <= 12 and self._dice.chance(0.12):
            return self._question(words) if self._dice.chance(0.5) else self._request(words)
        chain = self._chain(words, opening)
        return Sentence(_capital(chain.english()) + ".", chain.japanese() + "。")

    def _question(self, words: int) -> Sentence:
        """Return "Did Ken buy a book?"."""
        clause = self._clauses.plain(self._dice.chance(0.65), words)
        denied = replace(clause.phrases[0], negative=True).english(clause.subject.agreement)
        helper, rest = denied.split(" not ", 1)
        english = f"{_capital(helper)} {clause.subject.english} {rest}?"
        return Sentence(english, clause.japanese(Form.PLAIN, "は") + "か。")

    def _request(self, words: int) -> Sentence:
        """Return "Please buy a book."."""
        clause = self._clauses.plain(False, words)
        said = clause.phrases[0].english(clause.subject.agreement).removeprefix("will ")
        japanese = clause.phrases[0].japanese(Form.TE) + "ください。"
        return Sentence(f"Please {said}.", japanese)

    def _chain(self, words: int, opening: bool) -> Chain:
        past = self._dice.chance(0.65)
        first = Phrase("", "")
        if opening and words >= 7 and self._dice.chance(0.15):
            first = self._dice.pick(_OPENINGS)
            words -= first.words
        units: list[Unit] = []
        links: list[Link] = []
        left = words
        while True:
            share = self._share(left)
            unit = self._unit(past, share, links[-1] if links else None, last=share == left)
            units.append(unit)
            left -= count_words(unit.english())
            if share == left + count_words(unit.english()) or left < 4:
                return Chain(tuple(units), tuple(links), first)
            links.append(self._link(unit))
            # The comma hangs on the word before it.
            left -= count_words(links[-1].english.lstrip(","))

    def _share(self, left: int) -> int:
        """Return the words of the next unit: all that are left where these are few enough."""
        if left <= 8 or (left <= 18 and self._dice.chance(0.5)):
            return left
        return self._dice.integer(4, min(16, left - 4))

    def _unit(self, past: bool, budget: int, before: Link | None, *, last: bool) -> Unit:
        """Return a unit of about `budget` words; the last one makes the sentence's length."""
        unit = self._any_unit(past, budget, before)
        for _ in range(_TRIES if last else 0):
            if abs(count_words(unit.english()) - budget) <= 1:
                break
            unit = self._any_unit(past, budget, before)
        return unit

    def _any_unit(self, past: bool, budget: int, before: Link | None) -> Unit:
        roll = self._dice.integer(1, 100)
        # ", so because" would be hard to follow.
        if budget >= 8 and roll <= 25 and (before is None or before.form is not Form.LINKED):
            return self._subordination(past, budget)
        if budget >= 6 and roll >= 87:
            return self._quotation(past, budget)
        return self._clauses.clause(Setting(past), budget)

    def _subordination(self, past: bool, budget: int) -> Subordination:
        conjunction = self._dice.draw(_PAST if past else _OTHER)
        free = conjunction in (_BECAUSE, _ALTHOUGH)
        fronted = self._dice.chance(0.6)
        if conjunction is _BECAUSE and not fronted:
            conjunction = _BECAUSE_BEHIND
        half = max(3, (budget - 1) * self._dice.integer(40, 60) // 100)
        inner = Setting(past, Shape.FREE if free else Shape.EVENT)
        subordinate = self._clauses.clause(inner, half)
        room = budget - 1 - count_words(subordinate.english())
        # What follows a relative clause would be taken into it.
        outer = Setting(past, Shape.FREE if past or free else Shape.FUTURE, heavy=fronted)
        return Subordination(conjunction, subordinate, self._clauses.clause(outer, room), fronted)

    def _quotation(self, past: bool, budget: int) -> Quotation:
        verb, predicate = self._dice.pick(_SAYING)
        setting = Setting(past)
        if not past:
            predicate = progressive(predicate)  # what somebody says now: と言っている
        subject = self._nouns.subject(1 if budget < 8 else 2)
        frame = Clause(subject, (VerbPhrase(verb, predicate, time=setting.time),))
        room = budget - 2 - subject.words
        return Quotation(frame, self._clauses.clause(self._dice.pick(_CONTENTS), room))

    def _link(self, before: Unit) -> Link:
        """Return any link, but none that a quotation would take in as its own."""
        link = self._dice.draw(_LINKS)
        return link


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
