"""Random verb phrases of a wanted length about what people do."""

import dataclasses

from longspan.training.sample.adjuncts import AdjunctBuilder, argument, words_of
from longspan.training.sample.clauses import Purpose, VerbPhrase
from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.english import Mood, Time
from longspan.training.sample.lexicon import Action, Lexicon, Place
from longspan.training.sample.noun_builder import NounBuilder, length
from longspan.training.sample.phrases import Argument, Phrase, Word
from longspan.training.sample.setting import Setting, Shape

__all__ = ["VerbBuilder"]

# frame: fewest words of the verb phrase, weight
_FRAMES = {"PLAIN": (3, 50), "GOAL": (4, 14), "GIVE": (6, 12), "NONE": (1, 9), "CITY": (3, 4)}
_GIVEN = ("writing", "text", "picture", "goods", "clothes", "food")
_VEHICLE_VERBS = frozenset({"go", "come", "return", "travel"})
_PAST_MOODS = Weighted(
    [Mood.SIMPLE, Mood.PROGRESSIVE, Mood.ABLE, Mood.MUST, Mood.BEGIN, Mood.TRY, Mood.PLAN],
    [74, 7, 5, 4, 3, 4, 3],
)
_OTHER_MOODS = Weighted(
    [Mood.SIMPLE, Mood.PROGRESSIVE, Mood.ABLE, Mood.MUST, Mood.MAY, Mood.PLAN],
    [62, 12, 9, 7, 6, 4],
)
_ONE_WORD = frozenset({Mood.PROGRESSIVE, Mood.ABLE, Mood.MAY})
_NEGATABLE = frozenset({Mood.SIMPLE, Mood.ABLE, Mood.PROGRESSIVE})


def _frames(budget: int) -> Weighted[str]:
    fitting = {frame: weight for frame, (least, weight) in _FRAMES.items() if least <= budget}
    return Weighted(list(fitting), list(fitting.values()))


_FRAMES_BY_BUDGET = tuple(_frames(max(budget, 1)) for budget in range(7))


class VerbBuilder:
    """Makes verb phrases for people as subjects."""

    def __init__(
        self, dice: Dice, lexicon: Lexicon, nouns: NounBuilder, adjuncts: AdjunctBuilder
    ) -> None:
        self.dice, self.lexicon, self.nouns, self.adjuncts = dice, lexicon, nouns, adjuncts
        plain = lexicon.actions["PLAIN"].items
        categories = {category for action in plain for category in action.objects}
        self._by_object = {
            category: Weighted.skewed([a for a in plain if category in a.objects])
            for category in sorted(categories)
        }

    def event(self, setting: Setting, budget: int) -> VerbPhrase:
        """Something that somebody does, in about `budget` words."""
        frame = self.dice.draw(_FRAMES_BY_BUDGET[max(0, min(budget, 6))])
        action = self.dice.draw(self.lexicon.actions[frame])
        phrase = self.stance(action, setting, budget - _FRAMES[frame][0])
        if frame in ("GOAL", "CITY"):
            return self._motion(action, phrase, setting, budget)
        if frame == "GIVE":
            return self._giving(action, phrase, setting, budget)
        if frame == "NONE":
            options = ["place", "duration", "time"]
            if action.willed and action.verb.base != "sleep":
                options.append("company")
            return self.adjuncts.fill(phrase, setting, budget, tuple(options))
        return self._acting(action, phrase, setting, budget)

    def ongoing(self, setting: Setting, budget: int) -> VerbPhrase:
        """Something in progress: "was writing a letter in the park"."""
        frame = "PLAIN" if budget > 3 else "NONE"
        action = self.dice.draw(self.lexicon.actions[frame])
        while not action.durative:
            action = self.dice.draw(self.lexicon.actions[frame])
        phrase = VerbPhrase(action.verb, action.predicate, (), "", Mood.PROGRESSIVE, setting.time)
        if frame == "NONE":
            return self.adjuncts.fill(phrase, setting, budget, ("place",))
        return self._acting(action, phrase, setting, budget)

    def lacking(self, category: str, setting: Setting, budget: int) -> VerbPhrase:
        """A verb phrase without its object, a thing of `category`: "(that) Ken sold to Yumi"."""
        giving = category in _GIVEN and budget >= 3 and self.dice.chance(0.3)
        if giving:
            action = self.dice.draw(self.lexicon.actions["GIVE"])
            recipient = argument("recipient", self.nouns.person(min(2, budget - 2)), "to", "に")
            return VerbPhrase(action.verb, action.predicate, (recipient,), time=setting.time)
        action = self.dice.draw(self._by_object[category])
        stranded = action.preposition  # "that Ken looked for"
        phrase = VerbPhrase(action.verb, action.predicate, (), stranded, time=setting.time)
        return self.adjuncts.fill(phrase, setting, budget, ("place", "time"))

    def upon(self, category: str, thing: Phrase, setting: Setting, budget: int) -> VerbPhrase:
        """A verb phrase that ends in a given object, of `category`."""
        arguments = [argument("object", thing, particle="を")]
        if category in _GIVEN and self.dice.chance(0.25):
            action = self.dice.draw(self.lexicon.actions["GIVE"])
            recipient = self.nouns.person(min(2, budget))
            # The recipient goes first, for the object is long: "sent Ken the book that ...".
            arguments.append(argument("recipient first", recipient, particle="に"))
        else:
            action = self.dice.draw(self._by_object[category])
            arguments = [argument("object", thing, action.preposition, action.particle)]
        phrase = self.stance(action, setting, budget)
        return dataclasses.replace(phrase, arguments=tuple(arguments))

    def stance(self, action: Action, setting: Setting, spare: int) -> VerbPhrase:
        """The bare verb with time, mood and polarity; `spare` words may go into auxiliaries."""
        time, mood, negative = setting.time, Mood.SIMPLE, False
        if setting.shape is Shape.FREE and spare >= 1:
            mood = self.dice.draw(_PAST_MOODS if setting.past else _OTHER_MOODS)
            ongoing = mood is Mood.PROGRESSIVE and not action.durative
            aimless = not action.willed and mood is not Mood.PROGRESSIVE
            if ongoing or aimless or (spare < 2 and mood not in _ONE_WORD):
                mood = Mood.SIMPLE
            if not setting.past and mood is Mood.SIMPLE and self.dice.chance(0.85):
                time = Time.FUTURE
        if setting.negatable and spare >= 2 and mood in _NEGATABLE:
            negative = self.dice.chance(0.16)
        return VerbPhrase(action.verb, action.predicate, (), "", mood, time, negative)

    def _acting(
        self, action: Action, phrase: VerbPhrase, setting: Setting, budget: int
    ) -> VerbPhrase:
        taken = words_of(phrase) + bool(action.preposition)
        thing = self.nouns.thing_or_list(action.objects, budget - taken)
        arguments = (argument("object", thing, action.preposition, action.particle),)
        phrase = dataclasses.replace(phrase, arguments=arguments)
        options = ["time"] if action.verb.base == "visit" else ["place", "time"]
        if action.verb.base not in ("meet", "wait"):
            options.append("company")
        if action.durative:
            options.append("manner")
        if action.verb.base in ("buy", "sell"):
            options.append("price")
        return self.adjuncts.fill(phrase, setting, budget, tuple(options))

    def _giving(
        self, action: Action, phrase: VerbPhrase, setting: Setting, budget: int
    ) -> VerbPhrase:
        room = budget - words_of(phrase) - 1
        recipient = self.nouns.person(max(1, min(3, room - 3)))
        thing = self.nouns.thing_or_list(_GIVEN, room - length(recipient))
        arguments = (
            argument("object", thing, particle="を"),
            argument("recipient", recipient, "to", "に"),
        )
        phrase = dataclasses.replace(phrase, arguments=arguments)
        return self.adjuncts.fill(phrase, setting, budget, ("time", "place"))

    def _motion(
        self, action: Action, phrase: VerbPhrase, setting: Setting, budget: int
    ) -> VerbPhrase:
        places = self.lexicon.cities if action.objects == ("CITY",) else self.lexicon.places
        goal = self.dice.draw(places)
        arguments = [argument("goal", _place(goal), "to", action.particle)]
        spare = budget - words_of(phrase) - 1 - length(_place(goal))
        if action.particle == "まで" and spare >= 3:
            source = self.dice.draw(places)
            if source != goal:
                arguments.append(argument("source", _place(source), "from", "から"))
        options = ["time", "company"]
        if action.verb.base in _VEHICLE_VERBS:
            if goal in self.lexicon.cities.items:
                options.append("transport")
            if spare >= 4 and not phrase.negative and self.dice.chance(0.3):
                purpose = self._purpose(setting, spare)
                arguments.append(purpose)
        phrase = dataclasses.replace(phrase, arguments=tuple(arguments))
        return self.adjuncts.fill(phrase, setting, budget, tuple(options))

    def _purpose(self, setting: Setting, spare: int) -> Argument:
        """ "to buy three books" 三冊の本を買うために."""
        action = self.dice.draw(self.lexicon.actions["PLAIN"])
        while not action.willed:
            action = self.dice.draw(self.lexicon.actions["PLAIN"])
        thing: Phrase = self.nouns.thing_or_list(action.objects, min(spare - 2, 5))
        arguments = (argument("object", thing, action.preposition, action.particle),)
        phrase = VerbPhrase(action.verb, action.predicate, arguments, time=setting.time)
        return argument("purpose", Purpose(phrase), "to", "ために")


def _place(place: Place) -> Word:
    return Word(place.english, place.japanese)
