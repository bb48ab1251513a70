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
    "verb_group",
    "with_article",
]


class Agreement(Enum):
    """Which form of the verb a subject asks for."""

    FIRST = auto()  # I
    THIRD = auto()  # he, the dog
    PLURAL = auto()  # we, they, the dogs


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


@dataclass(frozen=True, slots=True)
class Verb:
    """The five forms of an English verb."""

    base: str
    third: str
    past: str
    participle: str
    gerund: str


_DOUBLED = frozenset({"swim"})
_SIBILANTS = ("s", "x", "z", "ch", "sh")


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in "aeiou"


def plural(noun: str) -> str:
    """Return the regular plural."""
    if _ends_in_consonant_y(noun):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(_SIBILANTS) else "s")


def regular_verb(base: str, past: str | None = None, participle: str | None = None) -> Verb:
    """Return a verb from its base, with an irregular past and participle where given."""
    if past is None:
        past = base[:-1] + "ied" if _ends_in_consonant_y(base) else base.removesuffix("e") + "ed"
    silent_e = base.endswith("e") and not base.endswith("ee")
    stem = base + base[-1] if base in _DOUBLED else base
    third = base + "es" if base.endswith("o") else plural(base)
    gerund = (base[:-1] if silent_e else stem) + "ing"
    return Verb(base, third, past, participle or past, gerund)


BE = Verb("be", "is", "was", "been", "being")


def verb_group(
    verb: Verb,
    agreement: Agreement,
    mood: Mood,
    time: Time,
    *,
    negative: bool = False,
    backshift: bool = False,
) -> str:
    """Return the verb with its auxiliaries: "did not buy", "was buying".

    `backshift` is reported speech after a past verb: will becomes would, is becomes was.
    """
    past = time is Time.PAST or (backshift and time is Time.PRESENT)
    if mood is Mood.MUST:
        return f"had to {verb.base}" if past else f"must {verb.base}"
    if mood is Mood.ABLE:
        return _negated("could" if past else "can", verb.base, negative)
    if time is Time.FUTURE:
        return _negated("would" if backshift else "will", verb.base, negative)
    if mood is Mood.PROGRESSIVE:
        return _negated(_form_of_be(agreement, past), verb.gerund, negative)
    if verb is BE:
        return _negated(_form_of_be(agreement, past), "", negative).rstrip()
    third = agreement is Agreement.THIRD
    if negative:
        helper = "did" if past else "does" if third else "do"
        return _negated(helper, verb.base, negative)
    return verb.past if past else verb.third if third else verb.base


def _negated(helper: str, rest: str, negative: bool) -> str:
    if not negative:
        return f"{helper} {rest}"
    return f"cannot {rest}" if helper == "can" else f"{helper} not {rest}"


def _form_of_be(agreement: Agreement, past: bool) -> str:
    if agreement is Agreement.PLURAL:
        return "were" if past else "are"
    if past:
        return "was"
    return "am" if agreement is Agreement.FIRST else "is"


def with_article(phrase: str) -> str:
    """Return `phrase` behind "a" or "an"."""
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase
