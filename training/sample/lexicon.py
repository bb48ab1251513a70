"""The words of the sample's grammar as objects: nouns, adjectives, verbs, places, names."""

from dataclasses import dataclass

from longspan.training.sample.conjugation import Kind, Predicate
from longspan.training.sample.dice import Weighted
from longspan.training.sample.english import Verb, plural, regular_verb
from longspan.training.sample.words import ACTIONS, ADJECTIVES, NAMES, NOUNS, PLACES

__all__ = ["Action", "Adjective", "Lexicon", "Noun", "Place"]


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
    passive's agent (に, によって; "" has no passive); `durative` allows "was ...ing";
    `willed` allows trying and planning.
    """

    verb: Verb
    predicate: Predicate
    preposition: str
    particle: str
    objects: tuple[str, ...]
    agent: str
    durative: bool
    willed: bool


@dataclass(frozen=True)
class Lexicon:
    """All words, grouped for drawing. `nouns` and `adjectives` are by category of noun."""

    nouns: dict[str, Weighted[Noun]]
    adjectives: dict[str, Weighted[Adjective]]
    actions: dict[str, Weighted[Action]]
    places: Weighted[Place]
    cities: Weighted[Place]
    names: Weighted[tuple[str, str]]

    @classmethod
    def load(cls) -> "Lexicon":
        """Read the tables of `longspan.training.sample.words`."""
        places = [Place(e.replace("_", " "), p, j) for e, p, j in map(str.split, _entries(PLACES))]
        return cls(
            nouns=_nouns(),
            adjectives=_adjectives(),
            actions=_actions(),
            places=Weighted.skewed(places),
            cities=Weighted.skewed([p for p in places if not p.english.startswith("the ")]),
            names=Weighted.skewed([(e, j) for e, j in map(str.split, _entries(NAMES))]),
        )


_CLASSES = {"5": Kind.GODAN, "1": Kind.ICHIDAN, "s": Kind.SURU}
_AGENTS = {"y": "によって", "n": "に", "-": ""}
_FRAMES = ("GIVE", "GOAL", "CITY", "NONE")


def _entries(table: str) -> list[str]:
    return [entry.strip() for entry in table.split(";") if entry.strip()]


def _nouns() -> dict[str, Weighted[Noun]]:
    grouped: dict[str, list[Noun]] = {}
    category = ""
    for line in NOUNS.strip().splitlines():
        head, colon, tail = line.partition(": ")
        category, line = (head, tail) if colon and not line.startswith(" ") else (category, line)
        entries = grouped.setdefault(category, [])
        entries += [_noun(entry.split(), category) for entry in _entries(line)]
    humans, professions = grouped.pop("human"), grouped["profession"]
    grouped["person"] = [*professions[:3], *humans, *professions[3:]]
    grouped["photo"] = [noun for noun in grouped["picture"] if noun.english == "photograph"]
    return {name: Weighted.skewed(entries) for name, entries in grouped.items()}


def _noun(row: list[str], category: str) -> Noun:
    forms, japanese, counting = row
    singular, _, many = forms.replace("_", " ").partition("/")
    counter, _, measure = counting.partition(":")
    counter = "" if counter == "-" else counter
    category = "person" if category in ("human", "profession") else category
    return Noun(singular, many or plural(singular), japanese, counter, category, measure)


def _adjectives() -> dict[str, Weighted[Adjective]]:
    grouped: dict[str, list[Adjective]] = {}
    for line in ADJECTIVES.strip().splitlines():
        adjective, categories = _adjective(line.split())
        for category in categories:
            grouped.setdefault(category, []).append(adjective)
    return {category: Weighted.skewed(entries) for category, entries in grouped.items()}


def _adjective(row: list[str]) -> tuple[Adjective, list[str]]:
    forms, japanese, kind, categories = row
    english, _, comparative = forms.partition("/")
    compared = f"more {english}" if comparative == "-" else comparative
    if kind == "i":
        predicate = Predicate(japanese, Kind.ADJECTIVE)
    else:
        predicate = Predicate(japanese[:-1], Kind.QUALITY)
    entry = Adjective(english, "" if kind == "no" else compared, japanese, predicate)
    return entry, categories.split(",")


def _actions() -> dict[str, Weighted[Action]]:
    """Verbs by frame: GIVE, GOAL, CITY, NONE, and PLAIN for those with a plain object."""
    grouped: dict[str, list[Action]] = {frame: [] for frame in (*_FRAMES, "PLAIN", "PASSIVE")}
    for line in ACTIONS.strip().splitlines():
        action = _action(line.split())
        frame = action.objects[0] if action.objects[0] in _FRAMES else "PLAIN"
        grouped[frame].append(action)
        if action.agent:
            grouped["PASSIVE"].append(action)
    return {frame: Weighted.skewed(entries) for frame, entries in grouped.items()}


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
        willed="u" not in flags,
    )
