"""English inflection: plurals, articles, and the verb group with tense, mood and negation."""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = [
    "BE",
    "Agreement",
    "Mood",
    "Time",
    "Verb",
    "plural",
    "regular_verb",
    "spaced",
    "verb_group",
    "with_article",
]


class Agreement(Enum):
    """Which form of the verb a subject asks for."""

    FIRST = auto()  # I
    THIRD = auto()  # he, the dog
    PLURAL = auto()  # you, we, they, the dogs


class Time(Enum):
    """When it happens."""

    PAST = auto()
    PRESENT = auto()
    FUTURE = auto()


class Mood(Enum):
    """How it happens; one at a time."""

    SIMPLE = auto()
    PROGRESSIVE = auto()
    ABLE = auto()
    MUST = auto()
    MAY = auto()
    PLAN = auto()
    BEGIN = auto()
    TRY = auto()


@dataclass(frozen=True, slots=True)
class Verb:
    """The five forms of an English verb."""

    base: str
    third: str
    past: str
    participle: str
    gerund: str


_DOUBLED = frozenset({"plan", "run", "swim", "begin", "stop"})
_SIBILANTS = ("s", "x", "z", "ch", "sh")


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in "aeiou"


def plural(noun: str) -> str:
    """The regular plural."""
    if _ends_in_consonant_y(noun):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(_SIBILANTS) else "s")


def regular_verb(base: str, past: str | None = None, participle: str | None = None) -> Verb:
    """A verb from its base, with an irregular past and participle where given."""
    stem = base + base[-1] if base in _DOUBLED else base
    if past is None:
        past = stem + ("d" if base.endswith("e") else "ed")
        past = base[:-1] + "ied" if _ends_in_consonant_y(base) else past
    silent_e = base.endswith("e") and not base.endswith("ee")
    third = "has" if base == "have" else plural(base)
    if base.endswith("o"):
        third = base + "es"
    gerund = (base[:-1] if silent_e else stem) + "ing"
    return Verb(base, third, past, participle or past, gerund)


BE = Verb("be", "is", "was", "been", "being")
_HELPERS = {
    Mood.PLAN: regular_verb("plan"),
    Mood.BEGIN: regular_verb("begin", "began", "begun"),
    Mood.TRY: regular_verb("try"),
}
_PRESENT_OF_BE = {Agreement.FIRST: "am", Agreement.THIRD: "is", Agreement.PLURAL: "are"}


def verb_group(
    verb: Verb,
    agreement: Agreement,
    mood: Mood,
    time: Time,
    *,
    negative: bool = False,
    support: bool = False,
    backshift: bool = False,
) -> list[str]:
    """The verb with its auxiliaries: ["did", "not", "buy"], ["was", "buying"].

    `support` asks for an auxiliary even where a plain statement has none ("did ... buy"), so
    that a question can put it first. `backshift` is reported speech after a past verb: will
    becomes would, is becomes was.
    """
    if mood in _HELPERS:
        helper = verb_group(
            _HELPERS[mood],
            agreement,
            Mood.SIMPLE,
            time,
            negative=negative,
            support=support,
            backshift=backshift,
        )
        return [*helper, "to", verb.base]
    past = time is Time.PAST or (backshift and time is Time.PRESENT)
    if mood is Mood.MUST and past:
        return ["had", "to", verb.base]
    if mood in (Mood.ABLE, Mood.MUST, Mood.MAY):
        modal = {Mood.ABLE: "could" if past else "can", Mood.MUST: "must"}.get(mood, "may")
        return _negated([modal, verb.base], negative)
    if time is Time.FUTURE:
        rest = ["be", verb.gerund] if mood is Mood.PROGRESSIVE else [verb.base]
        return _negated(["would" if backshift else "will", *rest], negative)
    if mood is Mood.PROGRESSIVE:
        return _negated([_form_of_be(agreement, past), verb.gerund], negative)
    if verb is BE:
        return _negated([_form_of_be(agreement, past)], negative)
    if negative or support:
        return _negated([_form_of_do(agreement, past), verb.base], negative)
    if past:
        return [verb.past]
    return [verb.third if agreement is Agreement.THIRD else verb.base]


def _negated(words: list[str], negative: bool) -> list[str]:
    if not negative:
        return words
    first = ["cannot"] if words[0] == "can" else [words[0], "not"]
    return first + words[1:]


def _form_of_be(agreement: Agreement, past: bool) -> str:
    if past:
        return "were" if agreement is Agreement.PLURAL else "was"
    return _PRESENT_OF_BE[agreement]


def _form_of_do(agreement: Agreement, past: bool) -> str:
    if past:
        return "did"
    return "does" if agreement is Agreement.THIRD else "do"


def spaced(*parts: str) -> str:
    """The parts that are not empty, with a space between."""
    return " ".join([part for part in parts if part])


def with_article(phrase: str) -> str:
    """`phrase` behind "a" or "an", by the sound of its first word."""
    consonant = phrase.startswith(("uni", "use", "one", "Euro"))
    vowel = phrase[0] in "aeiouAEIOU" and not consonant
    return ("an " if vowel or phrase.startswith(("hour", "honest")) else "a ") + phrase
