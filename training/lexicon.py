"""The words of the sample's grammar: a few hundred, written for it, with their Japanese.

Tables are text, one word a line, commonest first, `_` for a space inside a word. Several
English words may share a Japanese one, never the other way round within a context. No
Japanese noun or name holds a kanji numeral, so that numbers can be told in a rendered text.
"""

from dataclasses import dataclass

from longspan.training.conjugation import Kind, Predicate
from longspan.training.dice import Weighted
from longspan.training.english import Verb, plural, regular_verb

__all__ = ["Action", "Adjective", "Noun", "Place", "actions", "adjectives", "nouns", "places", "words"]


@dataclass(frozen=True, slots=True)
class Noun:
    """A common noun. `counter` is 冊 and the like, or "" where it is never counted.

    `measure` is the English measure word of a mass noun ("cup", "bottle").
    """

    english: str
    plural: str
    japanese: str
    counter: str
    category: str
    measure: str


@dataclass(frozen=True, slots=True)
class Adjective:
    """`attributive` stands before the noun; `comparative` is "" where none is used."""

    english: str
    comparative: str
    attributive: str
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Place:
    """`preposition` is the English one for being there."""

    english: str
    preposition: str
    japanese: str


@dataclass(frozen=True, slots=True)
class Action:
    """A verb with what it takes.

    `preposition` and `particle` mark the object in English and Japanese; `agent` marks the
    passive's agent (に, によって; "" has no passive); `durative` allows "was ...ing".
    """

    verb: Verb
    predicate: Predicate
    preposition: str
    particle: str
    objects: tuple[str, ...]
    agent: str
    durative: bool


_CLASSES = {"5": Kind.GODAN, "1": Kind.ICHIDAN, "s": Kind.SURU}
_AGENTS = {"y": "によって", "n": "に", "-": ""}


def _rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def _noun(row: list[str]) -> Noun:
    forms, japanese, counting, category = row
    singular, _, many = forms.replace("_", " ").partition("/")
    counter, _, measure = counting.partition(":")
    counter = "" if counter == "-" else counter
    return Noun(singular, many or plural(singular), japanese, counter, category, measure)


def _adjective(row: list[str]) -> tuple[Adjective, tuple[str, ...]]:
    forms, japanese, kind, categories = row
    english, _, comparative = forms.partition("/")
    compared = f"more {english}" if comparative == "-" else comparative
    if kind == "i":
        predicate = Predicate(japanese, Kind.ADJECTIVE)
    else:
        predicate = Predicate(japanese[:-1], Kind.QUALITY)
    entry = Adjective(english, "" if kind == "no" else compared, japanese, predicate)
    return entry, tuple(categories.split(","))


def _action(row: list[str]) -> Action:
    base, past, participle, japanese, kind, objects, particle, agent, *flags = row
    stem, _, preposition = base.partition("+")
    verb = regular_verb(
        stem, None if past == "-" else past, None if participle == "-" else participle
    )
    return Action(
        verb=verb,
        predicate=Predicate(japanese, _CLASSES[kind]),
        preposition=preposition,
        particle=particle,
        objects=tuple(objects.split(",")),
        agent=_AGENTS[agent],
        durative="x" not in flags,
    )


def nouns() -> dict[str, Weighted[Noun]]:
    """The common nouns by category; "photo" holds the photograph alone."""
    grouped: dict[str, list[Noun]] = {}
    for noun in map(_noun, _rows(_NOUNS)):
        grouped.setdefault(noun.category, []).append(noun)
    grouped["photo"] = [noun for noun in grouped["picture"] if noun.english == "photograph"]
    return {category: Weighted.skewed(entries) for category, entries in grouped.items()}


def adjectives() -> dict[str, Weighted[Adjective]]:
    """The adjectives that fit each category of nouns; categories that take none are absent."""
    grouped: dict[str, list[Adjective]] = {}
    for adjective, categories in map(_adjective, _rows(_ADJECTIVES)):
        for category in categories:
            grouped.setdefault(category, []).append(adjective)
    return {category: Weighted.skewed(entries) for category, entries in grouped.items()}


def actions() -> list[Action]:
    """Every verb; `objects` is ("GIVE",), ("GOAL",) or ("NONE",) for those with no plain object."""
    return [_action(row) for row in _rows(_ACTIONS)]


def places() -> list[Place]:
    """Places to be at and to go to."""
    return [Place(e.replace("_", " "), p, j) for e, p, j in _rows(_PLACES)]


def words() -> list[tuple[str, str]]:
    """Names of people: English, Japanese."""
    return [(english, japanese) for english, japanese in _rows(_NAMES)]
