"""Questions and requests: sentences that stand alone."""

import dataclasses
from dataclasses import dataclass
from typing import Protocol

from longspan.training.sample.adjuncts import argument
from longspan.training.sample.clause_builder import ClauseBuilder
from longspan.training.sample.clauses import Clause, VerbPhrase
from longspan.training.sample.conjugation import Form
from longspan.training.sample.dice import Dice
from longspan.training.sample.english import spaced
from longspan.training.sample.noun_builder import NounBuilder, length
from longspan.training.sample.phrases import Argument, Word
from longspan.training.sample.setting import Setting, Shape

__all__ = ["Question", "Request", "Special", "SpecialBuilder"]


class Special(Protocol):
    """A whole sentence but for the capital letter and the Japanese full stop."""

    def english(self) -> str:
        """With its own mark at the end."""
        ...

    def japanese(self) -> str:
        """Without a mark."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """ "Did Ken buy a book?", "Where did Ken buy a book?", "Who bought a book?".

    `asked` is what "what", "where", "when", "why" stand for; `about_subject` asks who.
    """

    clause: Clause
    asked: str = ""
    about_subject: bool = False

    def english(self) -> str:
        """The first auxiliary before the subject, unless the subject is asked for."""
        if self.about_subject:
            return self.clause.english() + "?"
        phrase, subject = self.clause.phrases[0], self.clause.subject
        first, *others = phrase.group(subject.agreement, backshift=False, support=True)
        return spaced(self.asked, first, subject.english(), *others, phrase.rest()) + "?"

    def japanese(self) -> str:
        """Plain style: 〜のか."""
        return self.clause.japanese(Form.LINKED, "が" if self.about_subject else "は") + "のか"


@dataclass(frozen=True, slots=True)
class Request:
    """ "Please open the door." / "Please do not open the door."."""

    phrase: VerbPhrase

    def english(self) -> str:
        """The base form."""
        first = "please do not" if self.phrase.negative else "please"
        return spaced(first, self.phrase.verb.base, self.phrase.rest()) + "."

    def japanese(self) -> str:
        """〜てください, 〜ないでください."""
        return self.phrase.japanese(Form.TE) + "ください"


_ASKED = (
    # English, Japanese, particle, role
    ("where", "どこ", "で", "place"),
    ("when", "いつ", "", "time"),
    ("why", "なぜ", "", "adverb"),
)
_WHO = Word("who", "誰")
_THINGS = ("writing", "goods", "machine", "food", "picture", "text", "clothes")


class SpecialBuilder:
    """Makes questions and requests of about a number of words."""

    def __init__(self, dice: Dice, nouns: NounBuilder, clauses: ClauseBuilder) -> None:
        self.dice, self.nouns, self.clauses = dice, nouns, clauses

    def any(self, words: int) -> Special:
        """One of them."""
        setting = Setting(True, Shape.EVENT, negatable=False)
        if self.dice.chance(0.3):
            setting = Setting(False, Shape.FUTURE, negatable=False)
        roll = self.dice.integer(1, 100)
        if roll <= 30:
            return self._request(words)
        if roll <= 55:
            return self._whether(setting, words)
        if roll <= 70:
            return Question(Clause(_WHO, (self.clauses.verbs.event(setting, words - 1),)), "", True)
        return self._which(setting, words)

    def _request(self, words: int) -> Request:
        light = Setting(True, Shape.EVENT, timed=False, heavy=False)
        negative = words >= 6 and self.dice.chance(0.25)
        phrase = self.clauses.verbs.event(light, words - (3 if negative else 1))
        # "Please do not": the request's own negation, whatever was drawn.
        calm = tuple(a for a in phrase.arguments if a.english_rank >= 0)
        return Request(dataclasses.replace(phrase, negative=negative, arguments=calm))

    def _whether(self, setting: Setting, words: int) -> Question:
        """Without adverbs before the verb, which the auxiliary would come between."""
        if self.dice.chance(0.3):
            setting = dataclasses.replace(setting, shape=Shape.STATE, past=False)
        clause = self.clauses.clause(setting, words - 1)
        phrase = clause.phrases[0]
        calm = tuple(a for a in phrase.arguments if a.english_rank >= 0)
        phrase = dataclasses.replace(phrase, arguments=calm)
        return Question(Clause(clause.subject, (phrase,)))

    def _which(self, setting: Setting, words: int) -> Question:
        subject = self.nouns.subject(max(1, min(3, words - 4)))
        category = self.dice.pick(_THINGS)
        if self.dice.chance(0.45):
            english, japanese, particle, role = self.dice.pick(_ASKED)
            thing = self.nouns.thing(category, min(5, words - length(subject) - 3))
            phrase = self.clauses.verbs.upon(category, thing, setting, 0)
            asked = argument(role, Word(english, japanese), particle=particle)
        else:
            english, japanese = "what", "何"
            noun = self.nouns.indefinite(category, 2).noun
            if words > 5 and noun.counter and self.dice.chance(0.6):
                english = f"how many {noun.plural}"
                japanese = f"何{noun.counter}の{noun.japanese}"
            room = words - length(subject) - 1 - len(english.split())
            phrase = self.clauses.verbs.lacking(category, setting, room)
            asked = argument("object", Word(english, japanese), particle="を")
        asked = dataclasses.replace(asked, fronted=True)
        arguments: tuple[Argument, ...] = (*phrase.arguments, asked)
        phrase = dataclasses.replace(phrase, arguments=arguments)
        return Question(Clause(subject, (phrase,)), english)
