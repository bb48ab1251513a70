"""Random clauses with about a wanted number of words."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from longspan.training.sample.clauses import Clause, VerbPhrase, clause
from longspan.training.sample.conjugation import Form, godan, ichidan
from longspan.training.sample.english import BE, Mood, Time
from longspan.training.sample.lexicon import Action, Lexicon
from longspan.training.sample.nouns import NounBuilder
from longspan.training.sample.phrases import Phrase
from longspan.training.sample.random_choices import RandomChoices, Weighted

__all__ = ["ClauseBuilder", "Setting", "Shape"]


class Shape(Enum):
    """The kind of clause that fits a place."""

    FREE = auto()  # anything
    EVENT = auto()  # something that happens, stated plainly
    FUTURE = auto()  # what will happen
    STATE = auto()  # how things are


@dataclass(frozen=True, slots=True)
class Setting:
    """The place of a clause in its sentence."""

    past: bool  # time of the sentence
    shape: Shape = Shape.FREE
    heavy: bool = True  # may end with a relative clause: nothing follows that would be read into it
    backshift: bool = False  # reported speech after a past verb

    @property
    def time(self) -> Time:
        """The time of a plain statement at this place."""
        if self.shape is Shape.FUTURE:
            return Time.FUTURE
        return Time.PAST if self.past else Time.PRESENT


# frame of a verb: fewest words of the verb phrase, weight
_FRAMES = {"NONE": (1, 12), "PLAIN": (3, 52), "GOAL": (3, 18), "GIVE": (5, 14)}
_GIVEN = ("text", "goods", "food")
_MOODS = Weighted([Mood.SIMPLE, Mood.PROGRESSIVE, Mood.ABLE, Mood.MUST], [74, 10, 9, 7])
# Categories that a relative clause may follow: "the book that", "the teacher who".
_QUALIFIED = ("person", "text", "goods", "machine", "building")
_THERE = {True: ichidan("いる"), False: godan("ある")}


class ClauseBuilder:
    """A builder of random clauses; relative clauses nest as deep as the budget of words allows."""

    def __init__(self, random: RandomChoices, lexicon: Lexicon, nouns: NounBuilder) -> None:
        self.random, self.lexicon, self.nouns = random, lexicon, nouns
        plain = lexicon.actions["PLAIN"].items
        self._by_object = {
            category: Weighted.skewed([a for a in plain if category in a.objects])
            for category in _QUALIFIED
        }

    def clause(self, setting: Setting, budget: int) -> Clause:
        """Return a clause that fits `setting`, in about `budget` words."""
        roll = self.random.integer(1, 100)
        state = setting.shape is Shape.STATE
        if budget >= 6 and roll <= (40 if state else 8) and setting.shape in _STATES:
            return self._existence(setting)
        if state or (budget >= 4 and roll <= 20 and setting.shape is Shape.FREE):
            return self._quality(setting)
        subject = self._subject(setting, budget)
        room = budget - subject.words
        phrases = [self.event(setting, room)]
        if room >= 8 and self.random.chance(0.25):  # "went to Kyoto and bought three books"
            shape = Shape.EVENT if setting.past else Shape.FUTURE
            plain = Setting(setting.past, shape, heavy=False)
            half = self.random.integer(3, room - 4)
            phrases = [self.event(plain, half), self.event(plain, room - half - 1)]
        return clause(subject, phrases, backshift=setting.backshift)

    def event(self, setting: Setting, room: int) -> VerbPhrase:
        """Return a verb phrase for an event, in about `room` words."""
        fitting = {name: w for name, (least, w) in _FRAMES.items() if least <= max(room, 1)}
        frame = self.random.draw(Weighted(list(fitting), list(fitting.values())))
        action = self.random.draw(self.lexicon.actions[frame])
        phrase = self._stance(action, setting)
        room -= len(phrase.english(False).split())
        if frame == "PLAIN" and room >= 6 and setting.heavy and self.random.chance(0.35):
            categories = [c for c in _QUALIFIED if c in action.objects]
            if categories:
                thing = self._qualified(self.random.pick(categories), room)
                return replace(phrase, arguments=(thing.marked(action.preposition, "を"),))
        arguments: tuple[Phrase, ...] = ()
        if frame == "PLAIN":
            thing = self.nouns.object(action.objects, self.random.integer(2, max(2, room)))
            arguments = (thing.marked(action.preposition, action.particle),)
        elif frame == "GOAL":
            _, place = self.random.draw(self.lexicon.places)
            arguments = (place.marked("to", action.particle),)
        elif frame == "GIVE":
            thing = self.nouns.thing(self.random.pick(_GIVEN), room - 2)
            arguments = (thing.marked("", "を"), self.nouns.person(2).marked("to", "に"))
        phrase = replace(phrase, arguments=arguments)
        return self._filled(phrase, setting, room - sum(a.words for a in arguments))

    def _subject(self, setting: Setting, budget: int) -> Phrase:
        if setting.heavy and budget >= 12 and self.random.chance(0.15):
            return self._qualified("person", budget // 2)
        return self.nouns.subject(1 if budget < 4 else self.random.integer(1, min(4, budget - 3)))

    def _stance(self, action: Action, setting: Setting) -> VerbPhrase:
        """Return the verb with time, and in a free clause with a random mood and polarity."""
        plain = VerbPhrase(action.verb, action.predicate, time=setting.time)
        if setting.shape is not Shape.FREE:
            return plain
        mood = self.random.draw(_MOODS)
        negative = mood in (Mood.SIMPLE, Mood.ABLE) and self.random.chance(0.12)
        later = not setting.past and mood is Mood.SIMPLE and self.random.chance(0.5)
        time = Time.FUTURE if later else setting.time
        return replace(plain, mood=mood, negative=negative, time=time)

    def _filled(self, phrase: VerbPhrase, setting: Setting, room: int) -> VerbPhrase:
        """Add a place, a companion and a time, in this order, while there is room."""
        arguments = list(phrase.arguments)
        going = bool(arguments) and arguments[0].english.startswith("to ")
        if not going and room >= 2 and self.random.chance(0.6):
            arguments.append(self._place("で"))
            room -= arguments[-1].words
        if room >= 2 and self.random.chance(0.5):
            arguments.append(self.nouns.person(min(3, room - 1)).marked("with", "と"))
            room -= arguments[-1].words
        if room >= 1 and setting.shape in _TIMED and phrase.mood is not Mood.PROGRESSIVE:
            arguments.append(self.random.draw(self.lexicon.times[phrase.time is Time.PAST]))
        return replace(phrase, arguments=tuple(arguments))

    def _place(self, particle: str) -> Phrase:
        preposition, place = self.random.draw(self.lexicon.places)
        return place.marked(preposition, particle)

    def _qualified(self, category: str, budget: int) -> Phrase:
        """Return things of a category with a relative clause, in about `budget` words."""
        thing = self.nouns.thing(category, 2)
        room = budget - thing.words - 1
        inner = Setting(past=True, shape=Shape.EVENT, heavy=room >= 9)
        if category == "person":
            phrase = self.event(inner, room)
            english = f"who {phrase.english(thing.plural)}"
            japanese = phrase.japanese(Form.PLAIN)
        else:
            subject = self.nouns.subject(2 if room > 5 else 1)
            action = self.random.draw(self._by_object[category])
            behind = (Phrase(action.preposition, ""),) if action.preposition else ()
            phrase = VerbPhrase(action.verb, action.predicate, behind)
            lacking = clause(subject, [self._filled(phrase, inner, room - 1 - subject.words)])
            english, japanese = f"that {lacking.english}", lacking.japanese(Form.PLAIN, "が")
        return Phrase(f"{thing.english} {english}", japanese + thing.japanese, thing.plural)

    def _existence(self, setting: Setting) -> Clause:
        """Return a clause such as "there were six dogs in Kyoto"."""
        category = self.random.pick(("animal", "person", "machine", "goods"))
        things = self.nouns.several((category,), self.random.integer(1, 2))
        predicate = _THERE[category in ("animal", "person")]
        arguments = (things.marked("", "が"), self._place("に"))
        phrase = VerbPhrase(BE, predicate, arguments, time=setting.time)
        there = Phrase("there", "", things.plural)
        return clause(there, [phrase], backshift=setting.backshift)

    def _quality(self, setting: Setting) -> Clause:
        """Return a clause such as "the temple was not old"."""
        category = self.random.pick(("building", "machine", "goods", "text", "animal"))
        adjective = self.random.draw(self.lexicon.adjectives[category])
        negative = setting.shape is Shape.FREE and self.random.chance(0.2)
        words = (Phrase(adjective.english, ""),)
        phrase = VerbPhrase(BE, adjective.predicate, words, time=setting.time, negative=negative)
        return clause(self.nouns.definite(category), [phrase], backshift=setting.backshift)


_STATES = frozenset({Shape.FREE, Shape.STATE})
_TIMED = frozenset({Shape.FREE, Shape.FUTURE})
