"""The words of the sample's grammar as objects: nouns, adjectives, verbs, places, times, names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from longspan.training.sample.conjugation import Kind, Predicate
from longspan.training.sample.dice import Weighted
from longspan.training.sample.english import Verb, plural, regular_verb
from longspan.training.sample.words import ACTIONS, ADJECTIVES, NAMES, NOUNS, PLACES, TIMES

__all__ = ["Action", "Adjective", "Lexicon", "Noun", "Place"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Noun:
    """A common noun; `counter` is 冊 and the like."""

    english: str
    plural: str
    japanese: str
    counter: str
    category: str


@dataclass(frozen=True, slots=True)
class Adjective:
    """`attributive` stands before the noun; `comparative` is "older" or "more important"."""

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

    `preposition` and `particle` mark the object; `agent` marks the passive's agent (に, によって),
    "" for a verb without a passive.
    """

    verb: Verb
    predicate: Predicate
    preposition: str
    particle: str
    objects: tuple[str, ...]
    agent: str


@dataclass(frozen=True)
class Lexicon:
    """All words, grouped for drawing: nouns and adjectives by category, actions by frame.

    The frames are GIVE, GOAL and NONE, PLAIN for a plain object, and PASSIVE for those of PLAIN
    that have one. Times are by whether the sentence is past.
    """

    nouns: dict[str, Weighted[Noun]]
    adjectives: dict[str, Weighted[Adjective]]
    actions: dict[str, Weighted[Action]]
    places: Weighted[Place]
    times: dict[bool, Weighted[tuple[str, str]]]
    names: Weighted[tuple[str, str]]

    @classmethod
    def load(cls) -> "Lexicon":
        """Read the tables of `longspan.training.sample.words`."""
        times = list(_entries(TIMES))
        return cls(
            nouns=_grouped(_nouns()),
            adjectives=_grouped(_adjectives()),
            actions=_grouped(_actions()),
            places=Weighted.skewed([Place(*row) for row in _entries(PLACES)]),
            times={
                past: Weighted.skewed([(e, j) for e, j, when in times if when in ("a", which)])
                for past, which in ((True, "p"), (False, "n"))
            },
            names=Weighted.skewed([(e, j) for e, j in _entries(NAMES)]),
        )


def _entries(table: str) -> Iterable[list[str]]:
    for entry in table.split(";"):
        yield [word.replace("_", " ") for word in entry.split()]


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, Weighted[T]]:
    groups: dict[str, list[T]] = {}
    for name, item in pairs:
        groups.setdefault(name, []).append(item)
    return {name: Weighted.skewed(items) for name, items in groups.items()}


def _nouns() -> Iterable[tuple[str, Noun]]:
    for line in NOUNS.strip().replace(";\n", ";").splitlines():
        category, _, entries = line.partition(": ")
        for forms, japanese, counter in _entries(entries):
            english, _, many = forms.partition("/")
            yield category, Noun(english, many or plural(english), japanese, counter, category)


def _adjectives() -> Iterable[tuple[str, Adjective]]:
    for line in ADJECTIVES.strip().splitlines():
        forms, japanese, kind, categories = line.split()
        english, _, comparative = forms.partition("/")
        if kind == "i":
            predicate = Predicate(japanese, Kind.ADJECTIVE)
        else:
            predicate = Predicate(japanese.removesuffix("な"), Kind.NOMINAL)
        compared = f"more {english}" if comparative == "-" else comparative
        for category in categories.split(","):
            yield category, Adjective(english, compared, japanese, predicate)


_KINDS = {"5": Kind.GODAN, "1": Kind.ICHIDAN, "s": Kind.SURU}
_AGENTS = {"y": "によって", "n": "に", "-": ""}


def _actions() -> Iterable[tuple[str, Action]]:
    for line in ACTIONS.strip().splitlines():
        base, past, participle, japanese, kind, objects, particle, agent = line.split()
        stem, _, preposition = base.partition("+")
        verb = regular_verb(
            stem, None if past == "-" else past, None if participle == "-" else participle
        )
        action = Action(
            verb=verb,
            predicate=Predicate(japanese, _KINDS[kind]),
            preposition=preposition,
            particle=particle,
            objects=tuple(objects.split(",")),
            agent=_AGENTS[agent],
        )
        yield objects if objects.isupper() else "PLAIN", action
        if action.agent:
            yield "PASSIVE", action
