"""Whole sentences: clauses joined by subordination, quotation and coordination."""

from dataclasses import dataclass
from typing import Protocol

from longspan.training.sample.clauses import Clause
from longspan.training.sample.conjugation import Form
from longspan.training.sample.english import Time

__all__ = ["Chain", "Conjunction", "Link", "Quotation", "Subordination", "Unit"]


class Unit(Protocol):
    """A part of a sentence that can stand as a sentence of its own."""

    @property
    def sequential(self) -> bool:
        """Whether "and then" can follow it."""
        ...

    def english(self) -> str:
        """Without a capital letter or a full stop."""
        ...

    def japanese(self, form: Form, marker: str) -> str:
        """Ending in `form`, its subject marked by `marker` (は or が)."""
        ...


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

    @property
    def sequential(self) -> bool:
        """The main clause decides."""
        return self.main.sequential

    def english(self) -> str:
        """With a comma where the subordinate clause comes first."""
        subordinate = f"{self.conjunction.english} {self.subordinate.english()}"
        main = self.main.english()
        return f"{subordinate}, {main}" if self.fronted else f"{main} {subordinate}"

    def japanese(self, form: Form, marker: str) -> str:
        """Aので、B."""
        subordinate = self.subordinate.japanese(self.conjunction.form, "が")
        return f"{subordinate}{self.conjunction.japanese}、{self.main.japanese(form, marker)}"


@dataclass(frozen=True, slots=True)
class Quotation:
    """ "Ken said that A and that B": KenはA、Bと言った.

    `question` reports a yes-no question (whether, かどうか) instead.
    """

    frame: Clause
    contents: tuple[Clause, ...]
    question: bool = False

    @property
    def sequential(self) -> bool:
        """Never followed by "and then": the hearer would take it into the quotation."""
        return False

    def english(self) -> str:
        """Backshifted where the frame is past."""
        backshift = self.frame.phrases[0].time is Time.PAST
        word = "whether" if self.question else "that"
        quoted = [f"{word} {c.english(backshift=backshift)}" for c in self.contents]
        return f"{self.frame.english()} {' and '.join(quoted)}"

    def japanese(self, form: Form, marker: str) -> str:
        """The frame's subject, the contents, the frame's verb."""
        *head, last = self.contents
        quoted = "".join(c.japanese(Form.CONTINUATIVE, "が") + "、" for c in head)
        if self.question:
            quoted += last.japanese(Form.INDIRECT, "が") + "かどうか"
        else:
            quoted += last.japanese(Form.PLAIN, "が") + "と"
        front = f"{self.frame.front.japanese()}、" if self.frame.front else ""
        said = self.frame.phrases[0].japanese(form)
        return f"{front}{self.frame.subject.japanese()}{marker}、{quoted}{said}"


@dataclass(frozen=True, slots=True)
class Link:
    """What joins two units: English text, the form it asks of the first, and its Japanese."""

    english: str
    form: Form
    japanese: str
    marker: str = "は"


@dataclass(frozen=True, slots=True)
class Chain:
    """A whole statement: units joined by one link less."""

    units: tuple[Unit, ...]
    links: tuple[Link, ...] = ()
    opening: tuple[str, str] = ("", "")

    def english(self) -> str:
        """Without a capital letter or a full stop."""
        text = self.opening[0] + self.units[0].english()
        for link, unit in zip(self.links, self.units[1:], strict=True):
            text += link.english + unit.english()
        return text

    def japanese(self) -> str:
        """Every unit in the form that its link asks for; the last one plain."""
        text = self.opening[1]
        for link, unit in zip(self.links, self.units, strict=False):
            text += unit.japanese(link.form, link.marker) + link.japanese
        return text + self.units[-1].japanese(Form.PLAIN, "は")
