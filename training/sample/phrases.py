"""Noun phrases and what hangs on a verb: one tree, rendered to English and to Japanese."""

from dataclasses import dataclass
from typing import Protocol

from longspan.training.sample.conjugation import Form
from longspan.training.sample.english import Agreement, with_article
from longspan.training.sample.lexicon import Adjective, Noun

__all__ = [
    "Argument",
    "Determiner",
    "Listing",
    "NounPhrase",
    "Phrase",
    "Quantity",
    "Relative",
    "Word",
]


class Phrase(Protocol):
    """Anything that stands as a subject or an object."""

    @property
    def agreement(self) -> Agreement:
        """The verb form it asks for as a subject."""
        ...

    def english(self) -> str:
        """Its English words."""
        ...

    def japanese(self) -> str:
        """Its Japanese text, without a particle."""
        ...


class Relative(Protocol):
    """A relative clause: behind the noun in English, before it in Japanese."""

    def english(self, agreement: Agreement) -> str:
        """With its pronoun: "who bought three books"."""
        ...

    def japanese(self, form: Form) -> str:
        """三冊の本を買った."""
        ...


@dataclass(frozen=True, slots=True)
class Word:
    """A phrase that never changes: a name, a pronoun, a date."""

    english_text: str
    japanese_text: str
    agreement: Agreement = Agreement.THIRD

    def english(self) -> str:
        """As it is."""
        return self.english_text

    def japanese(self) -> str:
        """As it is."""
        return self.japanese_text


@dataclass(frozen=True, slots=True)
class Determiner:
    """the, a, this, my, Tanaka's; articles have no Japanese."""

    english: str
    japanese: str = ""


@dataclass(frozen=True, slots=True)
class Quantity:
    """How many: "three hundred and twelve" 三百十二冊; "some" 何冊か. Always with の."""

    english: str
    japanese: str
    singular: bool = False


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """[determiner] [quantity] [very] [adjective] noun [of complement] [relative clause]."""

    noun: Noun
    plural: bool = False
    determiner: Determiner | None = None
    quantity: Quantity | None = None
    adjective: Adjective | None = None
    very: bool = False
    complement: Phrase | None = None
    relative: Relative | None = None

    @property
    def agreement(self) -> Agreement:
        """Plural for several things, else third person."""
        return Agreement.PLURAL if self.plural else Agreement.THIRD

    def english(self) -> str:
        """ "the three old books that Tanaka bought"."""
        parts = [self.quantity.english] if self.quantity else []
        if self.adjective:
            parts += ["very", self.adjective.english] if self.very else [self.adjective.english]
        # A measured mass noun keeps its singular: "three cups of tea".
        many = self.plural and not self.noun.measure
        parts.append(self.noun.plural if many else self.noun.english)
        if self.complement:
            parts += ["of", self.complement.english()]
        if self.relative:
            parts.append(self.relative.english(self.agreement))
        text = " ".join(parts)
        if self.determiner is None:
            return text
        if self.determiner.english == "a":
            return with_article(text)
        return f"{self.determiner.english} {text}"

    def japanese(self) -> str:
        """田中さんが買った三冊の古い本."""
        text = self.relative.japanese(Form.BEFORE_NOUN) if self.relative else ""
        if self.complement:
            text += self.complement.japanese() + "の"
        text += self.determiner.japanese if self.determiner else ""
        text += self.quantity.japanese + "の" if self.quantity else ""
        if self.adjective:
            text += ("とても" if self.very else "") + self.adjective.attributive
        people = self.plural and self.noun.category in ("person", "kin") and not self.quantity
        return text + self.noun.japanese + ("たち" if people else "")


@dataclass(frozen=True, slots=True)
class Listing:
    """Two phrases with and/と, or three and more: "A, B, and C", A、B、そしてC."""

    items: tuple[Phrase, ...]
    agreement: Agreement = Agreement.PLURAL

    def english(self) -> str:
        """With a comma before "and" from three items on."""
        *head, last = [item.english() for item in self.items]
        return f"{', '.join(head)}{',' if len(head) > 1 else ''} and {last}"

    def japanese(self) -> str:
        """With と, or commas and そして."""
        *head, last = [item.japanese() for item in self.items]
        return f"{head[0]}と{last}" if len(head) == 1 else f"{'、'.join(head)}、そして{last}"


@dataclass(frozen=True, slots=True)
class Argument:
    """A phrase on a verb: `preposition` and `particle` mark it, ranks order it.

    English ranks below zero stand before the verb. A `fronted` one (a question word) is
    rendered by the question itself in English.
    """

    phrase: Phrase
    preposition: str
    particle: str
    english_rank: int
    japanese_rank: int
    fronted: bool = False

    def english(self) -> str:
        """ "in Kyoto"."""
        text = self.phrase.english()
        return f"{self.preposition} {text}" if self.preposition else text

    def japanese(self) -> str:
        """京都で."""
        return self.phrase.japanese() + self.particle
