"""Japanese predicates in plain written style: verbs, adjectives and nouns, inflected.

A `Predicate` knows its dictionary form and its class; `inflect` gives the form that the next
word asks for. Helpers build predicates on predicates: 書く, 書いている, 書くことができる.
"""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = [
    "Form",
    "Kind",
    "Predicate",
    "ability",
    "inflect",
    "obligation",
    "passive",
    "progressive",
]


class Kind(Enum):
    """Inflection classes."""

    GODAN = auto()
    ICHIDAN = auto()
    SURU = auto()
    ADJECTIVE = auto()  # 古い, なければならない
    NOMINAL = auto()  # 静か, 医者: with the copula だ


class Form(Enum):
    """What follows the predicate decides its form."""

    PLAIN = auto()  # 。 が けれども から と言う, or a noun behind a verb
    LINKED = auto()  # ので
    CONTINUATIVE = auto()  # 書き、 古く、 医者で、
    TE = auto()  # 書いて
    CONDITIONAL = auto()  # 書いたら
    DICTIONARY = auto()  # 前に: never past
    PERFECT = auto()  # 後に: always past
    QUESTION = auto()  # か: the copula だ falls away


@dataclass(frozen=True, slots=True)
class Predicate:
    """`text` is the dictionary form, for NOMINAL without the copula."""

    text: str
    kind: Kind


# The last kana of a godan verb: its a-row and i-row kana, its te-form and past endings.
_ROWS = {
    "う": ("わ", "い", "って", "った"),
    "く": ("か", "き", "いて", "いた"),
    "ぐ": ("が", "ぎ", "いで", "いだ"),
    "す": ("さ", "し", "して", "した"),
    "つ": ("た", "ち", "って", "った"),
    "ぶ": ("ば", "び", "んで", "んだ"),
    "む": ("ま", "み", "んで", "んだ"),
    "る": ("ら", "り", "って", "った"),
}
_COPULA = {Form.LINKED: "な", Form.QUESTION: ""}


def inflect(predicate: Predicate, form: Form, *, past: bool, negative: bool) -> str:
    """Return the predicate in `form`. `past` counts for finite forms only."""
    if form is Form.CONTINUATIVE:
        return _continuative(predicate, negative)
    if form is Form.TE:
        return _negative_stem(predicate) + "ないで" if negative else _te(predicate)
    if form is Form.CONDITIONAL:
        return _finite(predicate, Form.PLAIN, True, negative) + "ら"
    past = form is Form.PERFECT or (past and form is not Form.DICTIONARY)
    return _finite(predicate, form, past, negative)


def _finite(predicate: Predicate, form: Form, past: bool, negative: bool) -> str:
    text, kind = predicate.text, predicate.kind
    if negative:
        return _negative_stem(predicate) + ("なかった" if past else "ない")
    if kind is Kind.ADJECTIVE:
        return text[:-1] + "かった" if past else text
    if kind is Kind.NOMINAL:
        return text + ("だった" if past else _COPULA.get(form, "だ"))
    return _perfect(predicate) if past else text


def _continuative(predicate: Predicate, negative: bool) -> str:
    text, kind = predicate.text, predicate.kind
    if text.endswith("ならない"):
        return text[:-2] + "ず"
    if text.endswith("いる"):  # 書いている, いる
        return text[:-2] + ("おらず" if negative else "おり")
    if negative:
        if kind is Kind.SURU:
            return text[:-2] + "せず"
        plain_verb = kind in (Kind.GODAN, Kind.ICHIDAN) and not text.endswith("ある")
        return _negative_stem(predicate) + ("ず" if plain_verb else "なく")
    if kind is Kind.GODAN:
        return text[:-1] + _ROWS[text[-1]][1]
    if kind is Kind.SURU:
        return text[:-2] + "し"
    if kind is Kind.ADJECTIVE:
        return text[:-1] + "く"
    return text[:-1] if kind is Kind.ICHIDAN else text + "で"


def _te(predicate: Predicate) -> str:
    if predicate.kind is Kind.ADJECTIVE:
        return predicate.text[:-1] + "くて"
    if predicate.kind is Kind.NOMINAL:
        return predicate.text + "で"
    past = _perfect(predicate)
    return past[:-1] + ("て" if past.endswith("た") else "で")


def _negative_stem(predicate: Predicate) -> str:
    """Return what ない follows: 書か, 食べ, 掃除し, 古く, 医者では; nothing for ある."""
    text, kind = predicate.text, predicate.kind
    if text.endswith("ある"):
        return text[:-2]
    if kind is Kind.GODAN:
        return text[:-1] + _ROWS[text[-1]][0]
    if kind is Kind.SURU:
        return text[:-2] + "し"
    if kind is Kind.ADJECTIVE:
        return text[:-1] + "く"
    return text[:-1] if kind is Kind.ICHIDAN else text + "では"


def _perfect(predicate: Predicate) -> str:
    text, kind = predicate.text, predicate.kind
    if kind is Kind.GODAN:
        # 行く is the one verb in く that takes った.
        return text[:-1] + ("った" if text.endswith("行く") else _ROWS[text[-1]][3])
    return text[:-2] + "した" if kind is Kind.SURU else text[:-1] + "た"


def progressive(predicate: Predicate) -> Predicate:
    """Return 書いている."""
    return Predicate(_te(predicate) + "いる", Kind.ICHIDAN)


def passive(predicate: Predicate) -> Predicate:
    """Return 書かれる, 食べられる, 掃除される."""
    if predicate.kind is Kind.GODAN:
        return Predicate(_negative_stem(predicate) + "れる", Kind.ICHIDAN)
    if predicate.kind is Kind.SURU:
        return Predicate(predicate.text[:-2] + "される", Kind.ICHIDAN)
    return Predicate(predicate.text[:-1] + "られる", Kind.ICHIDAN)


def ability(predicate: Predicate) -> Predicate:
    """Return 書くことができる."""
    return Predicate(predicate.text + "ことができる", Kind.ICHIDAN)


def obligation(predicate: Predicate) -> Predicate:
    """Return 書かなければならない."""
    return Predicate(_negative_stem(predicate) + "なければならない", Kind.ADJECTIVE)
