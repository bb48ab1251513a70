"""The lexicon of the sample's grammar: nouns, adjectives, verbs, places, times and names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from longspan.training.sample import conjugation
from longspan.training.sample.conjugation import Predicate
from longspan.training.sample.english import Verb, plural, verb
from longspan.training.sample.phrases import Phrase
from longspan.training.sample.random_choices import Weighted
from longspan.training.sample.words import ACTIONS, ADJECTIVES, NAMES, NOUNS, PLACES, TIMES

__all__ = ["Action", "Adjective", "Lexicon", "Noun"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Noun:
    """A common noun; `counter` is a counter word such as 冊."""

    english: str
    plural: str
    japanese: str
    counter: str


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective; `attributive` is its form before a noun, such as 静かな."""

    english: str
    attributive: str
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Action:
    """A verb with the categories of its object."""

    verb: Verb
    predicate: Predicate
    preposition: str  # before the object in English, may be empty
    objects: tuple[str, ...]
    particle: str  # after the object in Japanese


@dataclass(frozen=True)
class Lexicon:
    """All words, in groups to draw from."""

    nouns: dict[str, Weighted[Noun]]  # by category
    adjectives: dict[str, Weighted[Adjective]]  # by category
    actions: dict[str, Weighted[Action]]  # by frame: GIVE, GOAL, NONE, or PLAIN with an object
    places: Weighted[tuple[str, Phrase]]  # with their prepositions
    times: dict[bool, Weighted[Phrase]]  # by whether the sentence is past
    names: Weighted[Phrase]

    @classmethod
    def load(cls) -> "Lexicon":
        """Read the tables of `longspan.training.sample.words`."""
        times = list(_entries(TIMES))
        return cls(
            nouns=_grouped(_nouns()),
            adjectives=_grouped(_adjectives()),
            actions=_grouped(_actions()),
            places=Weighted.skewed([(at, Phrase(e, j)) for e, at, j in _entries(PLACES)]),
            times={
                past: Weighted.skewed([Phrase(e, j) for e, j, when in times if when in (own, "a")])
                for past, own in ((True, "p"), (False, "n"))
            },
            names=Weighted.skewed([Phrase(e, j) for e, j in _entries(NAMES)]),
        )


def _entries(table: str) -> Iterable[list[str]]:
    for entry in table.split(";"):
        yield [word.replace("_", " ") for word in entry.split()]


def _grouped(pairs: Iterable[tuple[str, _T]]) -> dict[str, Weighted[_T]]:
    groups: dict[str, list[_T]] = {}
    for name, item in pairs:
        groups.setdefault(name, []).append(item)
    return {name: Weighted.skewed(items) for name, items in groups.items()}


def _nouns() -> Iterable[tuple[str, Noun]]:
    for line in NOUNS.strip().replace(";\n", ";").splitlines():
        category, _, entries = line.partition(": ")
        for forms, japanese, counter in _entries(entries):
            english, _, many = forms.partition("/")
            yield category, Noun(english, many or plural(english), japanese, counter)


def _adjectives() -> Iterable[tuple[str, Adjective]]:
    for line in ADJECTIVES.strip().splitlines():
        english, japanese, kind, categories = line.split()
        inflected = conjugation.adjective if kind == "i" else conjugation.nominal
        entry = Adjective(english, japanese, inflected(japanese.removesuffix("な")))
        yield from ((category, entry) for category in categories.split(","))


_CLASSES = {"5": conjugation.godan, "1": conjugation.ichidan, "s": conjugation.suru}


def _actions() -> Iterable[tuple[str, Action]]:
    for line in ACTIONS.strip().splitlines():
        base, past, japanese, kind, objects, particle = line.split()
        stem, _, preposition = base.partition("+")
        english = verb(stem, None if past == "-" else past)
        predicate = _CLASSES[kind](japanese)
        action = Action(english, predicate, preposition, tuple(objects.split(",")), particle)
        yield objects if objects.isupper() else "PLAIN", action
