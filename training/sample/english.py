"""English inflection: plurals, articles, and the verb group with tense, mood and negation."""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = [
    "BE",
    "Mood",
    "Time",
    "Verb",
    "plural",
    "verb",
    "verb_group",
    "with_article",
]


class Time(Enum):
    """The time of an event."""

    PAST = auto()
    PRESENT = auto()
    FUTURE = auto()


class Mood(Enum):
    """The mood of a verb group."""

    SIMPLE = auto()
    PROGRESSIVE = auto()
    ABLE = auto()
    MUST = auto()


@dataclass(frozen=True, slots=True)
class Verb:
    """The forms of an English verb: buy, buys, bought, buying."""

    base: str
    third: str
    past: str
    gerund: str


_SIBILANTS = ("s", "x", "z", "ch", "sh", "o")


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in "aeiou"


def plural(noun: str) -> str:
    """Return the regular plural of a noun, or third person of a verb, which are spelt alike."""
    if _ends_in_consonant_y(noun):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(_SIBILANTS) else "s")


def verb(base: str, past: str | None = None) -> Verb:
    """Return a verb by its base, with an irregular past if given."""
    if past is None:
        past = base[:-1] + "ied" if _ends_in_consonant_y(base) else base.removesuffix("e") + "ed"
    stem = {"swim": "swimm", "see": "see"}.get(base, base.removesuffix("e"))
    return Verb(base, plural(base), past, stem + "ing")


BE = Verb("be", "is", "was", "being")


def verb_group(
    verb: Verb,
    plural: bool,
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
    be = ("were" if past else "are") if plural else ("was" if past else "is")
    if mood is Mood.MUST:
        return f"had to {verb.base}" if past else f"must {verb.base}"
    if mood is Mood.ABLE:
        return _negated("could" if past else "can", verb.base, negative)
    if time is Time.FUTURE:
        return _negated("would" if backshift else "will", verb.base, negative)
    if mood is Mood.PROGRESSIVE:
        return _negated(be, verb.gerund, negative)
    if verb is BE:
        return _negated(be, "", negative).rstrip()
    if negative:
        helper = "did" if past else "do" if plural else "does"
        return _negated(helper, verb.base, negative)
    return verb.past if past else verb.base if plural else verb.third


def _negated(helper: str, rest: str, negative: bool) -> str:
    if not negative:
        return f"{helper} {rest}"
    return f"cannot {rest}" if helper == "can" else f"{helper} not {rest}"


def with_article(phrase: str) -> str:
    """Return `phrase` after "a" or "an"."""
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase
