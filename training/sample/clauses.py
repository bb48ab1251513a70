"""Clauses and whole statements: one tree, rendered to English and to Japanese.

Japanese puts the verb last and links clauses by the verb's form, so every node is asked for the
`Form` that the next word wants. English reported speech is asked for its backshift.
"""

from dataclasses import dataclass
from typing import Protocol

from longspan.training.sample import conjugation
from longspan.training.sample.conjugation import Form, Predicate
from longspan.training.sample.english import Agreement, Mood, Time, Verb, verb_group
from longspan.training.sample.phrases import Phrase

__all__ = [
    "Chain",
    "Clause",
    "Conjunction",
    "Link",
    "Quotation",
    "Subordination",
    "Unit",
    "VerbPhrase",
]


@dataclass(frozen=True, slots=True)
class VerbPhrase:
    """A verb with mood, time, polarity and arguments in English order.

    Japanese has the arguments in the reverse order, before the verb. `complement` follows the verb
    in English ("old", "written") where Japanese has it inside `predicate` (古い, 書かれる).
    """

    verb: Verb
    predicate: Predicate
    arguments: tuple[Phrase, ...] = ()
    complement: str = ""
    mood: Mood = Mood.SIMPLE
    time: Time = Time.PAST
    negative: bool = False

    def english(self, agreement: Agreement, *, backshift: bool = False) -> str:
        """Return everything but the subject: "bought three books in Kyoto"."""
        group = verb_group(
            self.verb,
            agreement,
            self.mood,
            self.time,
            negative=self.negative,
            backshift=backshift,
        )
        parts = (group, self.complement, *(a.english for a in self.arguments))
        return " ".join(part for part in parts if part)

    def japanese(self, form: Form) -> str:
        """Return the arguments and the predicate in `form`: 京都で三冊の本を買った."""
        predicate = _MOODS.get(self.mood, _as_it_is)(self.predicate)
        past = self.time is Time.PAST
        verb = conjugation.inflect(predicate, form, past=past, negative=self.negative)
        return "".join(a.japanese for a in reversed(self.arguments)) + verb


def _as_it_is(predicate: Predicate) -> Predicate:
    return predicate


_MOODS = {
    Mood.PROGRESSIVE: conjugation.progressive,
    Mood.ABLE: conjugation.ability,
    Mood.MUST: conjugation.obligation,
}


class Unit(Protocol):
    """A part of a sentence that can stand as a sentence of its own."""

    def english(self, *, backshift: bool = False) -> str:
        """Return it without a capital letter or a full stop."""
        ...

    def japanese(self, form: Form, marker: str) -> str:
        """Return it ending in `form`, its subject marked by `marker` (は or が)."""
        ...


@dataclass(frozen=True, slots=True)
class Clause:
    """A subject and one or two verb phrases that share it, joined by "and" and the te-form.

    The subject "there" has no Japanese.
    """

    subject: Phrase
    phrases: tuple[VerbPhrase, ...]

    def english(self, *, backshift: bool = False) -> str:
        """Return subject and verb phrases."""
        agreement = self.subject.agreement
        said = [phrase.english(agreement, backshift=backshift) for phrase in self.phrases]
        return f"{self.subject.english} {' and '.join(said)}"

    def japanese(self, form: Form, marker: str) -> str:
        """Return the subject and verb phrases, the last one in `form`."""
        *head, last = self.phrases
        subject = self.subject.japanese + marker if self.subject.japanese else ""
        return subject + "".join(p.japanese(Form.TE) for p in head) + last.japanese(form)


@dataclass(frozen=True, slots=True)
class Conjunction:
    """A subordinating conjunction: the form it asks of its clause, and what follows that."""

    english: str
    form: Form
    japanese: str


@dataclass(frozen=True, slots=True)
class Subordination:
    """ "because A, B" or "B because A"; in Japanese A comes first in both."""

    conjunction: Conjunction
    subordinate: Clause
    main: Clause
    fronted: bool

    def english(self, *, backshift: bool = False) -> str:
        """Return both clauses, with a comma where the subordinate one comes first."""
        subordinate = f"{self.conjunction.english} {self.subordinate.english(backshift=backshift)}"
        main = self.main.english(backshift=backshift)
        return f"{subordinate}, {main}" if self.fronted else f"{main} {subordinate}"

    def japanese(self, form: Form, marker: str) -> str:
        """Return Aので、B."""
        subordinate = self.subordinate.japanese(self.conjunction.form, "が")
        return f"{subordinate}{self.conjunction.japanese}、{self.main.japanese(form, marker)}"


@dataclass(frozen=True, slots=True)
class Quotation:
    """ "Ken said that A": KenはAと言った."""

    frame: Clause
    content: Clause

    def english(self, *, backshift: bool = False) -> str:
        """Return the frame and the content, backshifted where the frame is past."""
        past = self.frame.phrases[0].time is Time.PAST
        return f"{self.frame.english()} that {self.content.english(backshift=past)}"

    def japanese(self, form: Form, marker: str) -> str:
        """Return the frame's subject, the content, the frame's verb."""
        content = self.content.japanese(Form.PLAIN, "が")
        said = self.frame.phrases[0].japanese(form)
        return f"{self.frame.subject.japanese}{marker}、{content}と{said}"


@dataclass(frozen=True, slots=True)
class Link:
    """What joins two units: English text, the form it asks of the first, and its Japanese."""

    english: str
    form: Form
    japanese: str
    marker: str = "は"


@dataclass(frozen=True, slots=True)
class Chain:
    """A whole statement: units joined by one link less, behind an opening such as "However, "."""

    units: tuple[Unit, ...]
    links: tuple[Link, ...] = ()
    opening: Phrase = Phrase("", "")

    def english(self) -> str:
        """Return it without a capital letter or a full stop."""
        text = self.opening.english + self.units[0].english()
        for link, unit in zip(self.links, self.units[1:], strict=True):
            text += link.english + unit.english()
        return text

    def japanese(self) -> str:
        """Return every unit in the form that its link asks for, the last one plain."""
        text = self.opening.japanese
        for link, unit in zip(self.links, self.units, strict=False):
            text += unit.japanese(link.form, link.marker) + link.japanese
        return text + self.units[-1].japanese(Form.PLAIN, "は")
