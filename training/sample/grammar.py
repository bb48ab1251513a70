"""A grammar of random English sentences of a wanted length, with their Japanese translations.

    sentence:  [opening] part link part link part .
    part:      clause | clause conjunction clause | subject "said that" clause
    clause:    subject verb-phrase, with relative clauses and lists in it

A sentence is built in both languages at once, and the Japanese is a function of the English. The
content of a sentence grows with its length, so that no vector of fixed size can hold it.
"""

from dataclasses import dataclass, replace

from longspan.training.lengths import count_words
from longspan.training.sample.clause_builder import ClauseBuilder, Setting, Shape
from longspan.training.sample.clauses import (
    Clause,
    Joint,
    VerbPhrase,
    clause,
    quotation,
    subordination,
)
from longspan.training.sample.conjugation import Form, godan, progressive
from longspan.training.sample.english import verb
from longspan.training.sample.lexicon import Lexicon
from longspan.training.sample.nouns import NounBuilder
from longspan.training.sample.random_choices import RandomChoices, Weighted

__all__ = ["GRAMMAR_VERSION", "LONGEST", "SHORTEST", "Grammar", "Sentence", "tolerance"]

GRAMMAR_VERSION = 2
SHORTEST, LONGEST = 3, 300

_LINKS = Weighted(
    [
        Joint(", and ", Form.CONTINUATIVE, "、"),
        Joint(", but ", Form.PLAIN, "が、"),
        Joint(", so ", Form.CONTINUATIVE, "、そのため、"),
        Joint(", and then ", Form.TE, "、それから"),
    ],
    [50, 22, 14, 14],
)
_OPENINGS = (
    ("However, ", "しかし、"),
    ("After that, ", "その後、"),
    ("Therefore, ", "そのため、"),
)
_BECAUSE = Joint("because", Form.LINKED, "ので")
_BECAUSE_BEHIND = Joint("because", Form.PLAIN, "から")
_ALTHOUGH = Joint("although", Form.PLAIN, "けれども")
_WHEN = Joint("when", Form.PLAIN, "時")
_BEFORE = Joint("before", Form.DICTIONARY, "前に")
_AFTER = Joint("after", Form.PERFECT, "後に")
_IF = Joint("if", Form.CONDITIONAL, "")
_PAST = Weighted([_BECAUSE, _WHEN, _ALTHOUGH, _AFTER, _BEFORE], [6, 6, 4, 4, 3])
_OTHER = Weighted([_BECAUSE, _IF, _ALTHOUGH, _AFTER, _BEFORE], [6, 6, 4, 4, 3])
_SAYING = (
    (verb("say", "said"), godan("言う")),
    (verb("think", "thought"), godan("思う")),
    (verb("hear", "heard"), godan("聞く")),
)
_CONTENTS = (
    Setting(True, Shape.EVENT),
    Setting(False, Shape.FUTURE),
    Setting(False, Shape.STATE),
)
_TRIES = 12
# Fewest words of a part; a sentence that lacks fewer words is complete.
_FEWEST = 4


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in both languages, with its capital letter and full stop."""

    english: str
    japanese: str


def tolerance(words: int) -> int:
    """Return by how many words a sentence may miss its length: 5 percent, at least one."""
    return max(1, words // 20)


class Grammar:
    """A stream of random sentences, equal for equal seed texts."""

    def __init__(self, seed: str) -> None:
        self._random = RandomChoices(seed)
        lexicon = Lexicon.load()
        self._nouns = NounBuilder(self._random, lexicon)
        self._clauses = ClauseBuilder(self._random, lexicon, self._nouns)

    def new_document(self) -> None:
        """Draw the people of a new document."""
        self._nouns.new_cast()

    def sentence(self, words: int, *, opening: bool = False) -> Sentence:
        """Return a sentence whose length differs from `words` by at most `tolerance`.

        `opening` allows a first word that refers to the sentence before, such as "However,". Raises
        ValueError for fewer than `SHORTEST` words.
        """
        if words < SHORTEST:
            raise ValueError(f"expected at least {SHORTEST} words, got {words}")
        while True:
            made = self._attempt(words, opening)
            length = count_words(made.english)
            if length >= SHORTEST and abs(length - words) <= tolerance(words):
                return made

    def _attempt(self, words: int, opening: bool) -> Sentence:
        if words <= 12 and self._random.chance(0.12):
            return self._question(words) if self._random.chance(0.5) else self._request(words)
        return self._statement(words, opening)

    def _question(self, words: int) -> Sentence:
        """Return a question such as "Did Ken buy a book?"."""
        subject = self._nouns.subject(min(3, max(1, words - 3)))
        past = self._random.chance(0.65)
        phrase = self._plain(past, words - subject.words - 1)
        # The negative names the auxiliary: "did not buy" gives "Did" and "buy".
        helper, rest = replace(phrase, negative=True).english(subject.plural).split(" not ", 1)
        japanese = clause(subject, [phrase]).japanese(Form.PLAIN, "は")
        return Sentence(f"{_capital(helper)} {subject.english} {rest}?", japanese + "か。")

    def _request(self, words: int) -> Sentence:
        """Return a request such as "Please buy a book."."""
        phrase = self._plain(False, words - 1)
        # The imperative is "will buy a book" without the auxiliary.
        told = phrase.english(False).removeprefix("will ")
        return Sentence(f"Please {told}.", phrase.japanese(Form.TE) + "ください。")

    def _plain(self, past: bool, room: int) -> VerbPhrase:
        shape = Shape.EVENT if past else Shape.FUTURE
        return self._clauses.event(Setting(past, shape, heavy=False), room)

    def _statement(self, words: int, opening: bool) -> Sentence:
        """Return a chain of parts, each in the Japanese form that the link after it requires."""
        past = self._random.chance(0.65)
        english = japanese = ""
        if opening and words >= 7 and self._random.chance(0.15):
            english, japanese = self._random.pick(_OPENINGS)
        while True:
            left = words - count_words(english)
            share = self._share(left)
            part = self._part(past, share, last=share == left)
            english += part.english
            # The last part ends in the plain form, as no link follows.
            if words - count_words(english) < _FEWEST:
                japanese += part.japanese(Form.PLAIN, "は")
                return Sentence(f"{_capital(english)}.", f"{japanese}。")
            link = self._random.draw(_LINKS)
            english += link.english
            japanese += part.japanese(link.form, "は") + link.japanese

    def _share(self, left: int) -> int:
        """Return the number of words of the next part: all that are left, if these are few."""
        if left <= 8 or (left <= 18 and self._random.chance(0.5)):
            return left
        return self._random.integer(4, min(16, left - 4))

    def _part(self, past: bool, budget: int, *, last: bool) -> Clause:
        """Return a part of about `budget` words; the last one is tried until the length fits."""
        part = self._any_part(past, budget)
        for _ in range(_TRIES if last else 0):
            if abs(count_words(part.english) - budget) <= 1:
                break
            part = self._any_part(past, budget)
        return part

    def _any_part(self, past: bool, budget: int) -> Clause:
        roll = self._random.integer(1, 100)
        if budget >= 8 and roll <= 25:
            return self._subordination(past, budget)
        if budget >= 6 and roll >= 91:
            return self._quotation(past, budget)
        return self._clauses.clause(Setting(past), budget)

    def _subordination(self, past: bool, budget: int) -> Clause:
        joint = self._random.draw(_PAST if past else _OTHER)
        free = joint in (_BECAUSE, _ALTHOUGH)
        fronted = self._random.chance(0.7)
        if joint is _BECAUSE and not fronted:
            joint = _BECAUSE_BEHIND
        half = max(3, (budget - 1) * self._random.integer(40, 60) // 100)
        inner = Setting(past, Shape.FREE if free else Shape.EVENT)
        first = self._clauses.clause(inner, half)
        # Words after a relative clause would be read as a part of it.
        outer = Setting(past, Shape.FREE if past or free else Shape.FUTURE, heavy=fronted)
        main = self._clauses.clause(outer, budget - 1 - count_words(first.english))
        return subordination(joint, first, main, fronted=fronted)

    def _quotation(self, past: bool, budget: int) -> Clause:
        english, predicate = self._random.pick(_SAYING)
        if not past:
            predicate = progressive(predicate)  # the present of saying: と言っている
        subject = self._nouns.subject(1 if budget < 8 else 2)
        said = VerbPhrase(english, predicate, time=Setting(past).time)
        setting = replace(self._random.pick(_CONTENTS), backshift=past)
        return quotation(subject, said, self._clauses.clause(setting, budget - 2 - subject.words))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
