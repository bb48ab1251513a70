"""Random clauses of a wanted length: a subject, a verb phrase, relative clauses inside."""

import dataclasses

from longspan.training.sample.adjuncts import AdjunctBuilder, argument
from longspan.training.sample.clauses import Clause, ClauseRelative, SubjectRelative, VerbPhrase
from longspan.training.sample.conjugation import Kind, Predicate, passive
from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.english import BE, Mood, Time, regular_verb
from longspan.training.sample.lexicon import Adjective, Lexicon
from longspan.training.sample.noun_builder import NounBuilder, length
from longspan.training.sample.phrases import Listing, NounPhrase, Phrase, Word
from longspan.training.sample.setting import Setting, Shape
from longspan.training.sample.state_builder import StateBuilder
from longspan.training.sample.verb_builder import VerbBuilder

__all__ = ["ClauseBuilder"]

_IT = Word("it", "")
_RAIN, _SNOW = regular_verb("rain"), regular_verb("snow")
_WEATHER = (
    (_RAIN, Predicate("雨が降る", Kind.GODAN)),
    (_SNOW, Predicate("雪が降る", Kind.GODAN)),
)
_DESCRIBABLE = ("building", "machine", "goods", "picture", "clothes", "writing", "animal", "plant")
_SEEN = ("animal", "person", "plant", "machine", "goods")
_QUALIFIED = Weighted(
    ["writing", "person", "goods", "machine", "building", "picture", "text", "clothes", "food"],
    [4, 4, 3, 2, 3, 2, 1, 1, 1],
)
# kind: fewest words of the clause, weight
_FREE = {
    "event": (2, 62),
    "state": (3, 12),
    "quality": (4, 6),
    "comparison": (6, 4),
    "passive": (6, 7),
    "existence": (7, 6),
    "weather": (2, 2),
    "become": (4, 2),
    "born": (4, 2),
}
_EVENTS = {"event": (2, 85), "passive": (6, 8), "weather": (2, 4), "become": (4, 2)}
_STATES = {
    "state": (3, 45),
    "quality": (4, 14),
    "comparison": (6, 8),
    "existence": (7, 10),
    "ongoing": (3, 23),
}


def _by_budget(kinds: dict[str, tuple[int, int]]) -> tuple[Weighted[str], ...]:
    rows = []
    for budget in range(8):
        fitting = {k: w for k, (least, w) in kinds.items() if least <= max(budget, 3)}
        rows.append(Weighted(list(fitting), list(fitting.values())))
    return tuple(rows)


_KINDS = {
    Shape.FREE: _by_budget(_FREE),
    Shape.EVENT: _by_budget(_EVENTS),
    Shape.FUTURE: _by_budget(_EVENTS),
    Shape.STATE: _by_budget(_STATES),
    Shape.ONGOING: _by_budget({"ongoing": (3, 1)}),
}


class ClauseBuilder:
    """Makes clauses; relative clauses nest as far as the budget goes."""

    def __init__(self, dice: Dice, lexicon: Lexicon, nouns: NounBuilder) -> None:
        adjuncts = AdjunctBuilder(dice, lexicon, nouns)
        self.dice, self.lexicon, self.nouns, self.adjuncts = dice, lexicon, nouns, adjuncts
        self.verbs = VerbBuilder(dice, lexicon, nouns, adjuncts)
        self.states = StateBuilder(dice, lexicon, nouns, adjuncts)

    def clause(self, setting: Setting, budget: int) -> Clause:
        """A clause that fits `setting`, in about `budget` words."""
        kind = self.dice.draw(_KINDS[setting.shape][max(0, min(budget, 7))])
        makers = {
            "quality": self._quality,
            "comparison": self._comparison,
            "passive": self._passive,
            "existence": self._existence,
            "weather": self._weather,
        }
        if kind in makers:
            return makers[kind](setting, budget)
        if kind == "event" and budget >= 9 and setting.negatable and self.dice.chance(0.2):
            return self._several(setting, budget)
        if kind == "born" and not setting.past:
            kind = "event"
        subject = self._subject(setting, budget, one=kind in ("state", "become", "born"))
        return self._dated(kind, subject, setting, budget - length(subject))

    def _dated(self, kind: str, subject: Phrase, setting: Setting, budget: int) -> Clause:
        """The clause, sometimes with its time put first."""
        free = setting.shape is Shape.FREE and setting.loose and setting.timed and setting.front
        fronted = free and kind == "event" and budget >= 5 and self.dice.chance(0.15)
        if not fronted:
            return Clause(subject, (self._phrase(kind, setting, budget),))
        words = self.dice.integer(1, min(6, budget - 3))
        phrase = self._phrase(kind, dataclasses.replace(setting, timed=False), budget - words)
        return Clause(subject, (phrase,), self.adjuncts.front(phrase, words))

    def _phrase(self, kind: str, setting: Setting, budget: int) -> VerbPhrase:
        makers = {
            "event": self._event,
            "state": self.states.state,
            "become": self.states.become,
            "born": self.states.born,
            "ongoing": self.verbs.ongoing,
        }
        return makers[kind](setting, budget)

    def _event(self, setting: Setting, budget: int) -> VerbPhrase:
        """Something that happens, sometimes with a relative clause on its object."""
        if not setting.heavy or budget < 6 or self.dice.chance(0.6):
            return self.verbs.event(setting, budget)
        category = self.dice.draw(_QUALIFIED)
        thing = self.nouns.thing(category, 2 if budget < 9 else self.dice.integer(2, 4))
        if thing.complement is not None:
            return self.verbs.event(setting, budget)
        room = budget - 1 - length(thing)
        extra = self.dice.integer(0, 2) if room > 5 else 0
        thing = self._qualified(thing, category, setting, room - extra)
        return self.verbs.upon(category, thing, setting, extra)

    def _qualified(
        self, thing: NounPhrase, category: str, setting: Setting, budget: int
    ) -> NounPhrase:
        """`thing` with a relative clause of about `budget` words."""
        inner = dataclasses.replace(setting, shape=Shape.EVENT, past=True, loose=False)
        if category == "person":
            return dataclasses.replace(thing, relative=self._who(setting, inner, budget))
        subject = self._subject(dataclasses.replace(inner, heavy=False), min(budget - 2, 4))
        room = budget - 1 - length(subject)
        if category == "building" and room >= 2 and self.dice.chance(0.4):
            clause = Clause(subject, (self.verbs.event(inner, room),))
            return dataclasses.replace(thing, relative=ClauseRelative("where", clause))
        clause = Clause(subject, (self.verbs.lacking(category, inner, room),))
        return dataclasses.replace(thing, relative=ClauseRelative("that", clause))

    def _who(self, setting: Setting, inner: Setting, budget: int) -> SubjectRelative:
        if setting.shape is Shape.FREE and self.dice.chance(0.25):
            still = dataclasses.replace(setting, heavy=False, loose=False)
            return SubjectRelative("who", self.states.state(still, budget - 1))
        return SubjectRelative("who", self._event(inner, budget - 1))

    def _subject(self, setting: Setting, budget: int, *, one: bool = False) -> Phrase:
        if setting.heavy and budget >= 11 and self.dice.chance(0.2):
            person = dataclasses.replace(self.nouns.definite("person"), adjective=None)
            return self._qualified(person, "person", setting, self.dice.integer(4, budget // 2))
        room = 1 if budget < 4 else self.dice.integer(1, min(4, budget - 3))
        return self.nouns.one(room) if one else self.nouns.subject(room)

    def _several(self, setting: Setting, budget: int) -> Clause:
        """ "went to Kyoto, bought three books, and sent a letter to Ken"."""
        shape = Shape.EVENT if setting.past or setting.shape is not Shape.FREE else Shape.FUTURE
        shape = setting.shape if setting.shape is not Shape.FREE else shape
        inner = dataclasses.replace(
            setting, shape=shape, heavy=False, loose=False, timed=False, negatable=False
        )
        subject = self._subject(inner, min(budget, 5))
        room = budget - length(subject) - 1
        count = self.dice.integer(2, max(2, min(4, room // 4)))
        phrases = [self.verbs.event(inner, room // count) for _ in range(count)]
        return Clause(subject, tuple(phrases))

    def _time(self, setting: Setting) -> Time:
        free = setting.shape is Shape.FREE and not setting.past
        return Time.FUTURE if free else setting.time

    def _passive(self, setting: Setting, budget: int) -> Clause:
        action = self.dice.draw(self.lexicon.actions["PASSIVE"])
        category = self.dice.pick(action.objects)
        subject: Phrase
        if category in ("person", "kin"):
            subject = self.nouns.person(2)
        else:
            subject = self.nouns.thing(category, min(5, budget - 4))
        agent = argument("agent", self.nouns.person(2), "by", action.agent)
        negative = setting.negatable and budget > 7 and self.dice.chance(0.12)
        phrase = VerbPhrase(BE, passive(action.predicate), (agent,), action.verb.participle)
        phrase = dataclasses.replace(phrase, time=self._time(setting), negative=negative)
        room = budget - length(subject)
        return Clause(subject, (self.adjuncts.fill(phrase, setting, room, ("time", "place")),))

    def _existence(self, setting: Setting, budget: int) -> Clause:
        category = self.dice.pick(_SEEN)
        place = dataclasses.replace(self.adjuncts.place(), particle="に")
        room = budget - 2 - len(place.english().split())
        thing: Phrase = self.nouns.indefinite(category, min(6, room))
        if room >= 5 and self.dice.chance(0.4):
            thing = Listing(
                (
                    self.nouns.indefinite(category, room // 2),
                    self.nouns.indefinite(category, room // 2),
                )
            )
        alive = category in ("animal", "person")
        predicate = Predicate("いる", Kind.IRU) if alive else Predicate("ある", Kind.ARU)
        arguments = (argument("object", thing, particle="が"), place)
        phrase = VerbPhrase(BE, predicate, arguments, time=setting.time)
        return Clause(Word("there", "", thing.agreement), (phrase,))

    def _quality(self, setting: Setting, budget: int) -> Clause:
        category = self.dice.pick(_DESCRIBABLE)
        subject = self.nouns.definite(category)
        adjective = self._gradable(category)
        very = budget > 4 and self.dice.chance(0.4)
        predicate, text = adjective.predicate, adjective.english
        if very:
            predicate, text = Predicate("とても" + predicate.text, predicate.kind), f"very {text}"
        negative = setting.negatable and not very and budget > 4 and self.dice.chance(0.2)
        phrase = VerbPhrase(BE, predicate, (), text, Mood.SIMPLE, setting.time, negative)
        return Clause(subject, (phrase,))

    def _comparison(self, setting: Setting, budget: int) -> Clause:
        person = self.dice.chance(0.4)
        category = "person" if person else self.dice.pick(_DESCRIBABLE)
        first: Phrase = self.nouns.name() if person else self.nouns.definite(category)
        second = first
        while second.english() == first.english():
            second = self.nouns.name() if person else self.nouns.definite(category)
        adjective = self._gradable(category)
        than = argument("agent", second, "than", "より")
        phrase = VerbPhrase(BE, adjective.predicate, (than,), adjective.comparative)
        return Clause(first, (dataclasses.replace(phrase, time=setting.time),))

    def _gradable(self, category: str) -> Adjective:
        adjective = self.dice.draw(self.lexicon.adjectives[category])
        while not adjective.comparative:
            adjective = self.dice.draw(self.lexicon.adjectives[category])
        return adjective

    def _weather(self, setting: Setting, budget: int) -> Clause:
        verb, predicate = self.dice.pick(_WEATHER)
        negative = setting.negatable and budget > 4 and self.dice.chance(0.2)
        phrase = VerbPhrase(verb, predicate, time=self._time(setting), negative=negative)
        return Clause(_IT, (self.adjuncts.fill(phrase, setting, budget - 1, ("time", "place")),))
