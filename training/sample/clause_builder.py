"""Random clauses of about a wanted number of words."""

import dataclasses
from dataclasses import dataclass
from enum import Enum, auto

from longspan.training.sample.clauses import Clause, VerbPhrase
from longspan.training.sample.conjugation import Form, Kind, Predicate, passive
from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.english import BE, Mood, Time
from longspan.training.sample.lexicon import Action, Lexicon
from longspan.training.sample.nouns import NounBuilder
from longspan.training.sample.phrases import Phrase, listing

__all__ = ["ClauseBuilder", "Setting", "Shape"]


class Shape(Enum):
    """What kind of clause fits."""

    FREE = auto()  # anything
    EVENT = auto()  # something that happens, stated plainly
    FUTURE = auto()  # what will happen
    STATE = auto()  # how things are


@dataclass(frozen=True, slots=True)
class Setting:
    """The place of a clause in its sentence.

    `past` is the time of the sentence. `heavy` allows a relative clause at the end, where nothing
    follows that could be taken into it.
    """

    past: bool
    shape: Shape = Shape.FREE
    heavy: bool = True

    @property
    def time(self) -> Time:
        """The time of a plain statement here."""
        if self.shape is Shape.FUTURE:
            return Time.FUTURE
        return Time.PAST if self.past else Time.PRESENT


# kind of clause: fewest words, weight
_STATES = {"quality": (4, 50), "comparison": (5, 25), "existence": (6, 25)}
_KINDS = {
    Shape.FREE: {"event": (2, 72), "quality": (4, 10), "comparison": (5, 5), "passive": (6, 6)}
    | {"existence": (6, 7)},
    Shape.EVENT: {"event": (2, 92), "passive": (6, 8)},
    Shape.FUTURE: {"event": (2, 1)},
    Shape.STATE: _STATES,
}
# frame of a verb: fewest words of the verb phrase, weight
_FRAMES = {"NONE": (1, 12), "PLAIN": (3, 52), "GOAL": (3, 18), "GIVE": (5, 14)}
_GIVEN = ("text", "goods", "food")
_MOODS = Weighted([Mood.SIMPLE, Mood.PROGRESSIVE, Mood.ABLE, Mood.MUST], [74, 10, 9, 7])
_QUALIFIED = ("person", "text", "goods", "machine", "building")


class ClauseBuilder:
    """Makes clauses; relative clauses nest as far as the budget goes."""

    def __init__(self, dice: Dice, lexicon: Lexicon, nouns: NounBuilder) -> None:
        self.dice, self.lexicon, self.nouns = dice, lexicon, nouns
        plain = lexicon.actions["PLAIN"].items
        self._by_object = {
            category: Weighted.skewed([a for a in plain if category in a.objects])
            for category in sorted({category for action in plain for category in action.objects})
        }

    def clause(self, setting: Setting, budget: int) -> Clause:
        """Return a clause that fits `setting`, in about `budget` words."""
        kind = self._fitting(_KINDS[setting.shape], budget)
        if kind == "quality":
            return self._quality(setting)
        if kind == "comparison":
            return self._comparison(setting)
        if kind == "passive":
            return self._passive(setting, budget)
        if kind == "existence":
            return self._existence(setting)
        subject = self._subject(setting, budget)
        room = budget - subject.words
        if room >= 8 and self.dice.chance(0.25):
            plain = dataclasses.replace(setting, heavy=False)
            plain = dataclasses.replace(plain, shape=Shape.EVENT) if setting.past else plain
            half = self.dice.integer(3, room - 4)
            first, second = self._event(plain, half), self._event(plain, room - half - 1)
            if first.mood is second.mood and first.negative is second.negative is False:
                first = dataclasses.replace(first, time=second.time)
                return Clause(subject, (first, second))
        return Clause(subject, (self._event(setting, room),))

    def plain(self, past: bool, budget: int) -> Clause:
        """Return something that somebody does, for a question or a request."""
        shape = Shape.EVENT if past else Shape.FUTURE
        subject = self.nouns.subject(min(3, max(1, budget - 3)))
        setting = Setting(past, shape, heavy=False)
        return Clause(subject, (self._event(setting, budget - subject.words - 1),))

    def _fitting(self, kinds: dict[str, tuple[int, int]], budget: int) -> str:
        fitting = {k: w for k, (least, w) in kinds.items() if least <= budget}
        fitting = fitting or {min(kinds, key=lambda k: kinds[k][0]): 1}
        return self.dice.draw(Weighted(list(fitting), list(fitting.values())))

    def _subject(self, setting: Setting, budget: int) -> Phrase:
        if setting.heavy and budget >= 12 and self.dice.chance(0.15):
            return self._qualified(self.nouns.thing("person", 2), "person", budget // 2 - 2)
        return self.nouns.subject(1 if budget < 4 else self.dice.integer(1, min(4, budget - 3)))

    def _event(self, setting: Setting, room: int) -> VerbPhrase:
        """Return what somebody does, in about `room` words."""
        frame = self._fitting(_FRAMES, room)
        action = self.dice.draw(self.lexicon.actions[frame])
        phrase = self._stance(action, setting)
        room -= len(phrase.english(self.nouns.cast[0].agreement).split())
        heavy = setting.heavy and room >= 6 and self.dice.chance(0.35)
        categories = [c for c in _QUALIFIED if c in action.objects] if heavy else []
        if frame == "PLAIN" and categories:
            category = self.dice.pick(categories)
            thing = self.nouns.thing(category, 2)
            thing = self._qualified(thing, category, room - thing.words)
            return self._with(phrase, thing.marked(action.preposition, action.particle))
        if frame == "PLAIN":
            thing = self.nouns.objects(action.objects, max(2, self.dice.integer(2, max(2, room))))
            phrase = self._with(phrase, thing.marked(action.preposition, action.particle))
            room -= phrase.arguments[0].words
        elif frame == "GOAL":
            place = self.dice.draw(self.lexicon.places)
            phrase = self._with(
                phrase, Phrase(f"to {place.english}", place.japanese + action.particle)
            )
            room -= phrase.arguments[0].words
        elif frame == "GIVE":
            thing = self.nouns.thing(self.dice.pick(_GIVEN), max(2, min(4, room - 2)))
            recipient = self.nouns.person(2).marked("to", "に")
            phrase = self._with(phrase, thing.marked("", "を"), recipient)
            room -= thing.words + recipient.words
        return self._filled(phrase, setting, room, place=frame != "GOAL")

    def _stance(self, action: Action, setting: Setting) -> VerbPhrase:
        """Return the verb with mood, time and polarity, which only a free clause chooses."""
        plain = VerbPhrase(action.verb, action.predicate, time=setting.time)
        if setting.shape is not Shape.FREE:
            return plain
        mood = self.dice.draw(_MOODS)
        negative = mood in (Mood.SIMPLE, Mood.ABLE) and self.dice.chance(0.12)
        later = not setting.past and mood is Mood.SIMPLE and self.dice.chance(0.5)
        time = Time.FUTURE if later else setting.time
        return dataclasses.replace(plain, mood=mood, negative=negative, time=time)

    def _filled(
        self, phrase: VerbPhrase, setting: Setting, room: int, *, place: bool
    ) -> VerbPhrase:
        """Add a place, company and a time while there is room, in this order."""
        if place and room >= 2 and self.dice.chance(0.6):
            phrase = self._with(phrase, self._place("で"))
            room -= phrase.arguments[-1].words
        if room >= 2 and self.dice.chance(0.5):
            phrase = self._with(phrase, self.nouns.person(min(3, room - 1)).marked("with", "と"))
            room -= phrase.arguments[-1].words
        timed = setting.shape is Shape.FREE or setting.shape is Shape.FUTURE
        if room >= 1 and timed and phrase.mood is not Mood.PROGRESSIVE:
            past = phrase.time is Time.PAST
            phrase = self._with(phrase, Phrase(*self.dice.draw(self.lexicon.times[past])))
        return phrase

    def _place(self, particle: str) -> Phrase:
        place = self.dice.draw(self.lexicon.places)
        return Phrase(f"{place.preposition} {place.english}", place.japanese + particle)

    def _with(self, phrase: VerbPhrase, *arguments: Phrase) -> VerbPhrase:
        return dataclasses.replace(phrase, arguments=(*phrase.arguments, *arguments))

    def _qualified(self, thing: Phrase, category: str, budget: int) -> Phrase:
        """Return `thing` with a relative clause of about `budget` words."""
        inner = Setting(past=True, shape=Shape.EVENT, heavy=budget >= 9)
        if category == "person":
            phrase = self._event(inner, budget - 1)
            english = f"{thing.english} who {phrase.english(thing.agreement)}"
            return Phrase(english, phrase.japanese(Form.PLAIN) + thing.japanese, thing.agreement)
        subject = self.nouns.subject(2 if budget > 5 else 1)
        action = self.dice.draw(self._by_object[category])
        phrase = VerbPhrase(action.verb, action.predicate, (), action.preposition)
        phrase = self._filled(phrase, inner, budget - 2 - subject.words, place=True)
        clause = Clause(subject, (phrase,))
        english = f"{thing.english} that {clause.english()}"
        return Phrase(english, clause.japanese(Form.PLAIN, "が") + thing.japanese, thing.agreement)

    def _passive(self, setting: Setting, budget: int) -> Clause:
        action = self.dice.draw(self.lexicon.actions["PASSIVE"])
        category = self.dice.pick(action.objects)
        if category in ("person", "kin"):
            subject = self.nouns.person(2)
        else:
            subject = self.nouns.thing(category, 3)
        agent = self.nouns.person(2).marked("by", action.agent)
        phrase = VerbPhrase(BE, passive(action.predicate), (agent,), action.verb.participle)
        time = Time.PAST if setting.past else Time.FUTURE
        phrase = dataclasses.replace(phrase, time=time)
        room = budget - len(phrase.english(subject.agreement).split()) - subject.words
        return Clause(subject, (self._filled(phrase, setting, room, place=True),))

    def _existence(self, setting: Setting) -> Clause:
        category = self.dice.pick(("animal", "person", "machine", "goods"))
        things = [self.nouns.some(category)]
        if self.dice.chance(0.3):
            things.append(self.nouns.some(category))
        thing = listing(things) if len(things) > 1 else things[0]
        alive = category in ("animal", "person")
        predicate = Predicate("いる", Kind.ICHIDAN) if alive else Predicate("ある", Kind.GODAN)
        arguments = (thing.marked("", "が"), self._place("に"))
        phrase = VerbPhrase(BE, predicate, arguments, time=setting.time)
        return Clause(Phrase("there", "", thing.agreement), (phrase,))

    def _quality(self, setting: Setting) -> Clause:
        category = self.dice.pick(("building", "machine", "goods", "text", "animal"))
        adjective = self.dice.draw(self.lexicon.adjectives[category])
        negative = setting.shape is Shape.FREE and self.dice.chance(0.2)
        phrase = VerbPhrase(BE, adjective.predicate, (), adjective.english)
        phrase = dataclasses.replace(phrase, time=setting.time, negative=negative)
        return Clause(self.nouns.definite(category), (phrase,))

    def _comparison(self, setting: Setting) -> Clause:
        adjective = self.dice.draw(self.lexicon.adjectives["person"])
        than = self.nouns.name().marked("than", "より")
        phrase = VerbPhrase(BE, adjective.predicate, (than,), adjective.comparative)
        return Clause(self.nouns.name(), (dataclasses.replace(phrase, time=setting.time),))
