"""Japanese predicates in plain written style: verbs, adjectives and nouns, inflected.

A `Predicate` holds the stems of its class of inflection. `inflect` returns the form that the next
word requires. Other functions build predicates from predicates: 書く, 書いている, 書くことができる.
"""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = [
    "Form",
    "Predicate",
    "ability",
    "adjective",
    "godan",
    "ichidan",
    "inflect",
    "nominal",
    "obligation",
    "progressive",
    "suru",
]


class Form(Enum):
    """The form of a predicate, which depends on the text after it."""

    PLAIN = auto()  # 。 が けれども から と言う, or a noun after a verb
    LINKED = auto()  # ので
    CONTINUATIVE = auto()  # 書き、 古く、 医者で、
    TE = auto()  # 書いて
    CONDITIONAL = auto()  # 書いたら
    DICTIONARY = auto()  # 前に: never past
    PERFECT = auto()  # 後に: always past


@dataclass(frozen=True, slots=True)
class Predicate:
    """The stems of a predicate: 書く, 書いた, 書き, and 書か before ない."""

    plain: str
    past: str
    continuative: str
    negative: str
    negative_continuative: str  # 書かず, 古くなく
    linked: str = ""  # before ので, if it differs from `plain`: 静かな


# Last kana of a godan verb -> its kana of the a-row and i-row, and its past ending.
_ROWS = {
    "う": ("わ", "い", "った"),
    "く": ("か", "き", "いた"),
    "ぐ": ("が", "ぎ", "いだ"),
    "す": ("さ", "し", "した"),
    "つ": ("た", "ち", "った"),
    "ぶ": ("ば", "び", "んだ"),
    "む": ("ま", "み", "んだ"),
    "る": ("ら", "り", "った"),
}


def godan(text: str) -> Predicate:
    """Return a godan verb such as 書く."""
    a_row, i_row, past = _ROWS[text[-1]]
    stem = text[:-1]
    # 行く is the only verb in く with the ending った.
    past = "った" if text.endswith("行く") else past
    return Predicate(text, stem + past, stem + i_row, stem + a_row, f"{stem}{a_row}ず")


def ichidan(text: str) -> Predicate:
    """Return an ichidan verb such as 食べる; いる becomes おり before a comma."""
    stem = text[:-1]
    if text.endswith("いる"):
        return Predicate(text, stem + "た", stem[:-1] + "おり", stem, stem[:-1] + "おらず")
    return Predicate(text, stem + "た", stem, stem, stem + "ず")


def suru(text: str) -> Predicate:
    """Return a verb with する, such as 修理する."""
    stem = text[:-2]
    return Predicate(text, stem + "した", stem + "し", stem + "し", stem + "せず")


def adjective(text: str) -> Predicate:
    """Return an i-adjective such as 古い."""
    stem = text[:-1]
    return Predicate(text, stem + "かった", stem + "く", stem + "く", stem + "くなく")


def nominal(text: str) -> Predicate:
    """Return a na-adjective or noun with its copula, such as 静かだ."""
    return Predicate(
        text + "だ", text + "だった", text + "で", text + "では", text + "ではなく", text + "な"
    )


def inflect(predicate: Predicate, form: Form, *, past: bool, negative: bool) -> str:
    """Return the predicate in `form`. `past` has an effect on finite forms only."""
    if form is Form.CONTINUATIVE:
        return predicate.negative_continuative if negative else predicate.continuative
    if form is Form.TE:
        return predicate.negative + "ないで" if negative else _te(predicate)
    past = form in (Form.PERFECT, Form.CONDITIONAL) or (past and form is not Form.DICTIONARY)
    if negative:
        finite = predicate.negative + ("なかった" if past else "ない")
    elif past:
        finite = predicate.past
    else:
        finite = predicate.linked if predicate.linked and form is Form.LINKED else predicate.plain
    # The conditional is the past with ら: 書いたら.
    return finite + ("ら" if form is Form.CONDITIONAL else "")


def _te(predicate: Predicate) -> str:
    # 古い -> 古くて
    if predicate.plain.endswith("い"):
        return predicate.plain[:-1] + "くて"
    # 静かだ -> 静かで
    if predicate.plain.endswith("だ"):
        return predicate.continuative
    # 書いた -> 書いて, 読んだ -> 読んで
    return predicate.past[:-1] + ("て" if predicate.past.endswith("た") else "で")


def progressive(predicate: Predicate) -> Predicate:
    """Return the progressive, such as 書いている."""
    return ichidan(_te(predicate) + "いる")


def ability(predicate: Predicate) -> Predicate:
    """Return the ability, such as 書くことができる."""
    return ichidan(predicate.plain + "ことができる")


def obligation(predicate: Predicate) -> Predicate:
    """Return the obligation, such as 書かなければならない, with ならず before a comma."""
    stem = predicate.negative + "なければなら"
    return Predicate(stem + "ない", stem + "なかった", stem + "ず", "", "")
