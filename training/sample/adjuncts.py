"""Random adjuncts: when, where, with whom, how, for how long, at what price."""

import dataclasses

from longspan.training.sample.clauses import VerbPhrase
from longspan.training.sample.dice import Dice
from longspan.training.sample.english import Agreement, Mood, Time
from longspan.training.sample.lexicon import Lexicon, Place
from longspan.training.sample.noun_builder import NounBuilder
from longspan.training.sample.phrases import Argument, Phrase, Word
from longspan.training.sample.setting import Setting, Shape
from longspan.training.sample.times import TimeBuilder

__all__ = ["AdjunctBuilder", "argument", "words_of"]

# role: English rank, Japanese rank. English ranks below zero stand before the verb.
_RANKS = {
    "adverb": (-1, 15),
    "manner": (-1, 95),
    "recipient first": (10, 70),
    "object": (20, 80),
    "goal": (25, 70),
    "source": (24, 60),
    "recipient": (30, 70),
    "agent": (30, 65),
    "price": (35, 75),
    "company": (40, 30),
    "transport": (50, 40),
    "place": (60, 50),
    "duration": (65, 90),
    "time": (80, 10),
    "purpose": (90, 20),
}
_OFTEN = (
    Word("often", "しばしば"),
    Word("always", "いつも"),
    Word("sometimes", "時々"),
    Word("usually", "たいてい"),
)
_MANNERS = (
    Word("quietly", "静かに"),
    Word("happily", "嬉しそうに"),
    Word("proudly", "誇らしげに"),
    Word("suddenly", "突然"),
    Word("secretly", "こっそり"),
    Word("again", "再び"),
)
_TRANSPORT = (
    Word("train", "電車"),
    Word("bus", "バス"),
    Word("car", "車"),
    Word("ship", "船"),
    Word("taxi", "タクシー"),
)
_LONG_SPANS = (("week", "週間"), ("month", "か月間"), ("year", "年間"))
_SPANS = (
    ("hour", "時間"),
    ("day", "日間"),
    ("minute", "分間"),
)


def argument(role: str, phrase: Phrase, preposition: str = "", particle: str = "") -> Argument:
    """An argument in the order of its role."""
    english_rank, japanese_rank = _RANKS[role]
    return Argument(phrase, preposition, particle, english_rank, japanese_rank)


def words_of(phrase: VerbPhrase) -> int:
    """English words of a verb phrase."""
    return len(phrase.english(Agreement.THIRD).split())


def _with(phrase: VerbPhrase, added: Argument) -> VerbPhrase:
    return dataclasses.replace(phrase, arguments=(*phrase.arguments, added))


class AdjunctBuilder:
    """Makes adjuncts and hangs them on a verb phrase."""

    def __init__(self, dice: Dice, lexicon: Lexicon, nouns: NounBuilder) -> None:
        self.dice, self.lexicon, self.nouns = dice, lexicon, nouns
        self.times = TimeBuilder(dice)

    def fill(
        self, phrase: VerbPhrase, setting: Setting, budget: int, options: tuple[str, ...]
    ) -> VerbPhrase:
        """Add adjuncts of these kinds until the budget is used up or nothing fits."""
        plain = phrase.mood is Mood.SIMPLE and not phrase.negative and not phrase.complement
        plain = plain and phrase.time is not Time.FUTURE
        used = words_of(phrase)
        if plain and phrase.time is Time.PRESENT and setting.shape is Shape.FREE and used < budget:
            # A plain present is a habit.
            daily = "time" in options and used + 2 <= budget and self.dice.chance(0.5)
            phrase = _with(phrase, self.habit(phrase.time) if daily else self.often())
            used, plain = words_of(phrase), False
        for option in self.dice.shuffled(options):
            added = self._adjunct(option, phrase, setting, budget - used)
            if added is None or (option == "manner" and not plain):
                continue
            size = len(added.english().split())
            if used + size <= budget:
                phrase = _with(phrase, added)
                used += size
        return phrase

    def _adjunct(
        self, option: str, phrase: VerbPhrase, setting: Setting, room: int
    ) -> Argument | None:
        if room < 1:
            return None
        if option == "time":
            return self.time(phrase, setting, room)
        if option == "company":
            return self.company(room) if room > 1 else None
        makers = {
            "place": self.place,
            "manner": self.manner,
            "duration": self.duration,
            "long duration": self.long_duration,
            "transport": self.transport,
            "price": self.price,
        }
        return makers[option]()

    def time(self, phrase: VerbPhrase, setting: Setting, room: int) -> Argument | None:
        """When; nothing in the present, where a habit has its time already."""
        if phrase.time is Time.PRESENT or not setting.timed:
            return None
        if setting.loose and self.dice.chance(0.4):
            return argument("time", self.times.bare(phrase.time), particle="、")
        dated = self.times.dated(phrase.time, room)
        return argument("time", dated, particle="に") if dated else None

    def front(self, phrase: VerbPhrase, budget: int) -> Word | None:
        """A time to put before the subject, with its に; None in the present."""
        if phrase.time is Time.PRESENT:
            return None
        dated = self.times.dated(phrase.time, budget)
        if dated is None or self.dice.chance(0.5):
            return self.times.bare(phrase.time)
        return Word(dated.english_text, dated.japanese_text + "に")

    def habit(self, time: Time) -> Argument:
        """Every day."""
        return argument("time", self.times.bare(time), particle="、")

    def often(self) -> Argument:
        """How often, before the verb."""
        return argument("adverb", self.dice.pick(_OFTEN))

    def manner(self) -> Argument:
        """How, before the verb."""
        return argument("manner", self.dice.pick(_MANNERS))

    def place(self) -> Argument:
        """Where."""
        return self.at(self.dice.draw(self.lexicon.places), "で")

    def at(self, place: Place, particle: str) -> Argument:
        """At a given place."""
        return argument("place", Word(place.english, place.japanese), place.preposition, particle)

    def company(self, budget: int) -> Argument:
        """With whom."""
        return argument("company", self.nouns.person(budget - 1), "with", "と")

    def transport(self) -> Argument:
        """By what means."""
        return argument("transport", self.dice.pick(_TRANSPORT), "by", "で")

    def price(self) -> Argument:
        """For how many yen, in figures."""
        yen = self.dice.integer(1, 99) * self.dice.pick((10, 50, 100))
        return argument("price", Word(f"{yen} yen", f"{yen}円"), "for", "で")

    def duration(self) -> Argument:
        """For how many minutes, hours or days."""
        unit, counter = self.dice.pick(_SPANS)
        return argument("duration", self.times.span(unit, counter, "", 20), "for", "")

    def long_duration(self) -> Argument:
        """For how many weeks, months or years."""
        unit, counter = self.dice.pick(_LONG_SPANS)
        return argument("duration", self.times.span(unit, counter, "", 20), "for", "")
