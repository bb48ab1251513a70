"""Random units of a sentence: a clause alone, with a subordinate clause, or as a quotation."""

import dataclasses

from longspan.training.sample.adjuncts import argument
from longspan.training.sample.clause_builder import ClauseBuilder
from longspan.training.sample.clauses import Clause, VerbPhrase
from longspan.training.sample.conjugation import Form, Kind, Predicate, progressive
from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.english import regular_verb
from longspan.training.sample.noun_builder import NounBuilder
from longspan.training.sample.phrases import Argument, Phrase
from longspan.training.sample.setting import Setting, Shape
from longspan.training.sample.statements import Conjunction, Quotation, Subordination, Unit

__all__ = ["UnitBuilder"]

# conjunction, shape of its clause, whether it may be past, whether it may be otherwise
_WHEN = (Conjunction("when", Form.PLAIN, "時"), Shape.EVENT)
_WHILE = (Conjunction("while", Form.DICTIONARY, "間に"), Shape.ONGOING)
_BEFORE = (Conjunction("before", Form.DICTIONARY, "前に"), Shape.EVENT)
_AFTER = (Conjunction("after", Form.PERFECT, "後に"), Shape.EVENT)
_BECAUSE = (Conjunction("because", Form.LINKED, "ので"), Shape.FREE)
_ALTHOUGH = (Conjunction("although", Form.PLAIN, "けれども"), Shape.FREE)
_IF = (Conjunction("if", Form.CONDITIONAL, ""), Shape.EVENT)
_PAST = Weighted([_BECAUSE, _WHEN, _ALTHOUGH, _AFTER, _BEFORE, _WHILE], [6, 6, 4, 4, 3, 3])
_OTHER = Weighted([_BECAUSE, _IF, _ALTHOUGH, _AFTER, _BEFORE], [6, 6, 4, 3, 3])

_SAY = (regular_verb("say", "said"), Predicate("言う", Kind.GODAN))
_THINK = (regular_verb("think", "thought"), Predicate("思う", Kind.GODAN))
_WRITE = (regular_verb("write", "wrote", "written"), Predicate("書く", Kind.GODAN))
_ANNOUNCE = (regular_verb("announce"), Predicate("発表する", Kind.SURU))
_EXPLAIN = (regular_verb("explain"), Predicate("説明する", Kind.SURU))
_HEAR = (regular_verb("hear", "heard"), Predicate("聞く", Kind.GODAN))
_TELL = (regular_verb("tell", "told"), Predicate("話す", Kind.GODAN))
_ASK = (regular_verb("ask"), Predicate("尋ねる", Kind.ICHIDAN))
_PAST_VERBS = Weighted(
    [_SAY, _TELL, _THINK, _HEAR, _ASK, _EXPLAIN, _WRITE, _ANNOUNCE], [8, 4, 4, 3, 3, 2, 2, 1]
)
_OTHER_VERBS = Weighted([_SAY, _THINK], [1, 1])


class UnitBuilder:
    """Makes units of about a number of words."""

    def __init__(self, dice: Dice, nouns: NounBuilder, clauses: ClauseBuilder) -> None:
        self.dice, self.nouns, self.clauses = dice, nouns, clauses

    def unit(self, setting: Setting, budget: int, *, reason: bool = True) -> Unit:
        """A clause, or from seven words on sometimes two.

        Without `reason` it does not start with "because": ", so because" is hard to follow.
        """
        roll = self.dice.integer(1 if reason else 28, 100)
        if budget >= 8 and roll <= 27:
            return self._subordination(setting, budget)
        if budget >= 6 and roll >= 85:
            return self._quotation(setting, budget)
        return self.clauses.clause(setting, budget)

    def _subordination(self, setting: Setting, budget: int) -> Subordination:
        conjunction, shape = self.dice.draw(_PAST if setting.past else _OTHER)
        fronted = self.dice.chance(0.6)
        if conjunction.english == "because" and not fronted:
            conjunction = Conjunction("because", Form.PLAIN, "から")
        half = max(3, (budget - 1) * self.dice.integer(40, 60) // 100)
        # Only "because" and "although" leave their clause its own mood and negation.
        free = shape is Shape.FREE
        inner = dataclasses.replace(setting, shape=shape, negatable=free, timed=free, heavy=True)
        subordinate = self.clauses.clause(inner, half)
        room = budget - 1 - len(subordinate.english().split())
        # What follows a relative clause or a time would be taken into it.
        outer = setting if fronted else dataclasses.replace(setting, heavy=False)
        if not setting.past and not free:
            outer = dataclasses.replace(outer, shape=Shape.FUTURE)
        return Subordination(conjunction, subordinate, self.clauses.clause(outer, room), fronted)

    def _quotation(self, setting: Setting, budget: int) -> Quotation:
        verb, predicate = self.dice.draw(_PAST_VERBS if setting.past else _OTHER_VERBS)
        asked = verb is _ASK[0]
        subject: Phrase = self.nouns.subject(1 if budget < 8 else 3)
        arguments: tuple[Argument, ...] = ()
        if verb is _TELL[0] or (asked and self.dice.chance(0.5)):
            recipient = self.nouns.person(1 if budget < 10 else 2)
            arguments = (argument("recipient", recipient, "", "に"),)
        if not setting.past:
            # What somebody says or thinks now: と言っている.
            predicate = progressive(predicate)
        negative = setting.past and not asked and budget >= 9 and self.dice.chance(0.1)
        phrase = VerbPhrase(verb, predicate, arguments, time=setting.time, negative=negative)
        frame = Clause(subject, (phrase,))
        room = budget - len(frame.english().split()) - 1
        shape, past = self.dice.pick(
            ((Shape.EVENT, True), (Shape.FUTURE, False), (Shape.STATE, False))
        )
        inner = Setting(past, shape, loose=True)
        count = 2 if room >= 10 and not asked and self.dice.chance(0.3) else 1
        share = (room - count + 1) // count
        contents = tuple(self.clauses.clause(inner, share) for _ in range(count))
        return Quotation(frame, contents, asked)
