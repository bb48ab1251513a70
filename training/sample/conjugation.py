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
    "beginning",
    "inflect",
    "obligation",
    "passive",
    "plan",
    "possibility",
    "progressive",
    "trial",
]


class Kind(Enum):
    """Inflection classes; IRU and ARU are the irregular ones of existence."""

    GODAN = auto()
    ICHIDAN = auto()
    SURU = auto()
    IRU = auto()
    ARU = auto()
    ADJECTIVE = auto()  # 古い
    QUALITY = auto()  # 静か, な before a noun
    NOUN = auto()  # 医者, である before a noun
    NAI = auto()  # なければならない, かもしれない: already negative in form


class Form(Enum):
    """What follows the predicate decides its form."""

    PLAIN = auto()  # 。 が けれども から と言う
    BEFORE_NOUN = auto()  # a noun
    LINKED = auto()  # ので のか
    CONTINUATIVE = auto()  # 書き、 古く、 医者で、
    TE = auto()  # 書いて
    CONDITIONAL = auto()  # 書いたら
    DICTIONARY = auto()  # 前に, 間に, ために: never past
    PERFECT = auto()  # 後に: always past
    INDIRECT = auto()  # かどうか: the copula falls away


@dataclass(frozen=True, slots=True)
class Predicate:
    """`text` is the dictionary form; for QUALITY and NOUN without the copula."""

    text: str
    kind: Kind


# The last kana of a godan verb: its a-, i- and o-row kana, its te-form and past endings.
_ROWS = {
    "う": ("わ", "い", "お", "って", "った"),
    "く": ("か", "き", "こ", "いて", "いた"),
    "ぐ": ("が", "ぎ", "ご", "いで", "いだ"),
    "す": ("さ", "し", "そ", "して", "した"),
    "つ": ("た", "ち", "と", "って", "った"),
    "ぬ": ("な", "に", "の", "んで", "んだ"),
    "ぶ": ("ば", "び", "ぼ", "んで", "んだ"),
    "む": ("ま", "み", "も", "んで", "んだ"),
    "る": ("ら", "り", "ろ", "って", "った"),
}
_COPULA = {Form.BEFORE_NOUN: "である", Form.LINKED: "な", Form.INDIRECT: ""}
_VERBS = frozenset({Kind.GODAN, Kind.ICHIDAN, Kind.SURU, Kind.IRU, Kind.ARU})


def inflect(predicate: Predicate, form: Form, *, past: bool, negative: bool) -> str:
    """The predicate in `form`. `past` counts for finite forms only."""
    if form is Form.CONTINUATIVE:
        return _continuative(predicate, negative)
    if form is Form.TE:
        return _te(predicate, negative)
    if form is Form.CONDITIONAL:
        return _finite(predicate, Form.PLAIN, True, negative) + "ら"
    past = form is Form.PERFECT or (past and form is not Form.DICTIONARY)
    return _finite(predicate, form, past, negative)


def _finite(predicate: Predicate, form: Form, past: bool, negative: bool) -> str:
    text, kind = predicate.text, predicate.kind
    if negative:
        return _negative_stem(predicate) + ("なかった" if past else "ない")
    if kind in (Kind.ADJECTIVE, Kind.NAI):
        return text[:-1] + "かった" if past else text
    if kind in _VERBS:
        return _perfect(predicate) if past else text
    if past:
        return text + "だった"
    if kind is Kind.QUALITY and form is Form.BEFORE_NOUN:
        return text + "な"
    return text + _COPULA.get(form, "だ")


def _continuative(predicate: Predicate, negative: bool) -> str:
    text, kind = predicate.text, predicate.kind
    if kind is Kind.NAI:
        return text[:-2] + "ず"
    if negative:
        if kind is Kind.IRU:
            return text[:-2] + "おらず"
        if kind is Kind.SURU:
            return text[:-2] + "せず"
        ending = "なく" if kind not in _VERBS or kind is Kind.ARU else "ず"
        return _negative_stem(predicate) + ending
    if kind is Kind.IRU:
        return text[:-2] + "おり"
    if text.endswith(("見る", "来る")):
        return text[:-1] + "て"  # 見、 and 来、 are too short to be read well
    return text[:-1] + "く" if kind is Kind.ADJECTIVE else _joining_stem(predicate)


def _te(predicate: Predicate, negative: bool) -> str:
    if negative:
        return _negative_stem(predicate) + "ないで"
    if predicate.kind in (Kind.ADJECTIVE, Kind.NAI):
        return predicate.text[:-1] + "くて"
    if predicate.kind not in _VERBS:
        return predicate.text + "で"
    past = _perfect(predicate)
    return past[:-1] + ("て" if past.endswith("た") else "で")


def _joining_stem(predicate: Predicate) -> str:
    """The i-row stem (連用形): 書き, 食べ, 掃除し; a noun or quality takes で."""
    text, kind = predicate.text, predicate.kind
    if kind in (Kind.GODAN, Kind.ARU):
        return text[:-1] + _ROWS[text[-1]][1]
    if kind is Kind.SURU:
        return text[:-2] + "し"
    return text[:-1] if kind in _VERBS else text + "で"


def _negative_stem(predicate: Predicate) -> str:
    """What ない follows: 書か, 食べ, 掃除し, 古く, 医者では; nothing for ある."""
    text, kind = predicate.text, predicate.kind
    if kind is Kind.ARU:
        return text[:-2]
    if kind is Kind.GODAN:
        return text[:-1] + _ROWS[text[-1]][0]
    if kind is Kind.SURU:
        return text[:-2] + "し"
    if kind is Kind.ADJECTIVE:
        return text[:-1] + "く"
    return text[:-1] if kind in _VERBS else text + "では"


def _perfect(predicate: Predicate) -> str:
    text, kind = predicate.text, predicate.kind
    if kind in (Kind.GODAN, Kind.ARU):
        # 行く is the one verb in く that takes った.
        return text[:-1] + ("った" if text.endswith("行く") else _ROWS[text[-1]][4])
    return text[:-2] + "した" if kind is Kind.SURU else text[:-1] + "た"


def progressive(predicate: Predicate) -> Predicate:
    """書いている."""
    return Predicate(_te(predicate, False) + "いる", Kind.IRU)


def passive(predicate: Predicate) -> Predicate:
    """書かれる, 食べられる, 掃除される."""
    if predicate.kind is Kind.GODAN:
        return Predicate(_negative_stem(predicate) + "れる", Kind.ICHIDAN)
    if predicate.kind is Kind.SURU:
        return Predicate(predicate.text[:-2] + "される", Kind.ICHIDAN)
    return Predicate(predicate.text[:-1] + "られる", Kind.ICHIDAN)


def ability(predicate: Predicate) -> Predicate:
    """書くことができる."""
    return Predicate(predicate.text + "ことができる", Kind.ICHIDAN)


def obligation(predicate: Predicate) -> Predicate:
    """書かなければならない."""
    return Predicate(_negative_stem(predicate) + "なければならない", Kind.NAI)


def possibility(predicate: Predicate, *, negative: bool) -> Predicate:
    """書くかもしれない, 書かないかもしれない."""
    finite = _finite(predicate, Form.PLAIN, False, negative)
    if predicate.kind in (Kind.QUALITY, Kind.NOUN) and not negative:
        finite = predicate.text
    return Predicate(finite + "かもしれない", Kind.NAI)


def plan(predicate: Predicate) -> Predicate:
    """書くつもり (a noun: つもりだ, つもりだった)."""
    return Predicate(predicate.text + "つもり", Kind.NOUN)


def beginning(predicate: Predicate) -> Predicate:
    """書き始める."""
    return Predicate(_joining_stem(predicate) + "始める", Kind.ICHIDAN)


def trial(predicate: Predicate) -> Predicate:
    """書こうとする."""
    text = predicate.text
    if predicate.kind is Kind.GODAN:
        volitional = text[:-1] + _ROWS[text[-1]][2] + "う"
    elif predicate.kind is Kind.SURU:
        volitional = text[:-2] + "しよう"
    else:
        volitional = text[:-1] + "よう"
    return Predicate(volitional + "とする", Kind.SURU)
