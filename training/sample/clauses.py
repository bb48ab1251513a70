"""Verb phrases and clauses with the same meaning in English and in Japanese.

Japanese puts the verb last and links clauses by the form of the verb. So the Japanese of a
clause is a function of the `Form` that the next word requires, and of the marker of its subject
(は or が).

    English:   Ken    bought   three books   in Kyoto
    Japanese:  健は   京都で   三冊の本を    買った     arguments reversed, then the verb
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from longspan.training.sample import conjugation
from longspan.training.sample.conjugation import Form, Predicate
from longspan.training.sample.english import Mood, Time, Verb, verb_group
from longspan.training.sample.phrases import Phrase

__all__ = ["Clause", "Joint", "VerbPhrase", "clause", "quotation", "subordination"]

_MOODS: dict[Mood, Callable[[Predicate], Predicate]] = {
    Mood.SIMPLE: lambda predicate: predicate,
    Mood.PROGRESSIVE: conjugation.progressive,
    Mood.ABLE: conjugation.ability,
    Mood.MUST: conjugation.obligation,
}


@dataclass(frozen=True, slots=True)
class VerbPhrase:
    """A verb with mood, time, polarity and arguments in English order.

    Japanese has the arguments in the reverse order, before the verb. An adjective is an argument
    without Japanese text, whose `predicate` takes the place of the verb "be".
    """

    verb: Verb
    predicate: Predicate
    arguments: tuple[Phrase, ...] = ()
    mood: Mood = Mood.SIMPLE
    time: Time = Time.PAST
    negative: bool = False

    def english(self, plural: bool, *, backshift: bool = False) -> str:
        """Return everything but the subject: "bought three books in Kyoto"."""
        group = verb_group(
            self.verb, plural, self.mood, self.time, negative=self.negative, backshift=backshift
        )
        return " ".join([group, *(argument.english for argument in self.arguments)])

    def japanese(self, form: Form) -> str:
        """Return the arguments and the predicate in `form`: 京都で三冊の本を買った."""
        predicate, past = _MOODS[self.mood](self.predicate), self.time is Time.PAST
        verb = conjugation.inflect(predicate, form, past=past, negative=self.negative)
        return "".join(argument.japanese for argument in reversed(self.arguments)) + verb


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that can be a sentence of its own."""

    english: str
    japanese: Callable[[Form, str], str]  # (form of the predicate, marker of the subject) -> text


@dataclass(frozen=True, slots=True)
class Joint:
    """A conjunction of two clauses."""

    english: str
    form: Form  # of the first clause's predicate in Japanese
    japanese: str


def clause(subject: Phrase, phrases: Sequence[VerbPhrase], *, backshift: bool = False) -> Clause:
    """Return a subject with one or two verb phrases, joined by "and" and the te-form.

    The subject "there" has no Japanese.
    """
    *head, last = phrases
    told = " and ".join(phrase.english(subject.plural, backshift=backshift) for phrase in phrases)

    def japanese(form: Form, marker: str) -> str:
        start = subject.japanese + marker if subject.japanese else ""
        return start + "".join(p.japanese(Form.TE) for p in head) + last.japanese(form)

    return Clause(f"{subject.english} {told}", japanese)


def subordination(joint: Joint, first: Clause, main: Clause, *, fronted: bool) -> Clause:
    """Return "because A, B" or "B because A"; in Japanese A comes first in both: Aので、B."""
    english = f"{joint.english} {first.english}"
    before = f"{first.japanese(joint.form, 'が')}{joint.japanese}、"
    return Clause(
        f"{english}, {main.english}" if fronted else f"{main.english} {english}",
        lambda form, marker: before + main.japanese(form, marker),
    )


def quotation(subject: Phrase, said: VerbPhrase, content: Clause) -> Clause:
    """Return "Ken said that A": 健は、Aと言った."""
    # A subject in a subordinate clause is marked by が, the topic of the sentence by は.
    quoted = content.japanese(Form.PLAIN, "が")
    return Clause(
        f"{subject.english} {said.english(subject.plural)} that {content.english}",
        lambda form, marker: f"{subject.japanese}{marker}、{quoted}と{said.japanese(form)}",
    )
