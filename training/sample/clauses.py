"""Verb phrases and clauses: nodes of one abstract tree, rendered to English and to Japanese.

Japanese puts the verb last and links clauses by the verb's form, so every node is asked for
the `Form` that the next word wants; English reported speech is asked for its backshift.
"""

from dataclasses import dataclass

from longspan.training.sample import conjugation
from longspan.training.sample.conjugation import Form, Kind, Predicate
from longspan.training.sample.english import BE, Agreement, Mood, Time, Verb, spaced, verb_group
from longspan.training.sample.phrases import Argument, Phrase, Word

__all__ = ["Clause", "ClauseRelative", "Purpose", "SubjectRelative", "VerbPhrase"]


@dataclass(frozen=True, slots=True)
class VerbPhrase:
    """A verb with mood, time, polarity and arguments.

    `complement` follows the verb in English ("old", "written", "a teacher") where Japanese
    has it inside `predicate` (古い, 書かれる, 医者だ).
    """

    verb: Verb
    predicate: Predicate
    arguments: tuple[Argument, ...] = ()
    complement: str = ""
    mood: Mood = Mood.SIMPLE
    time: Time = Time.PAST
    negative: bool = False

    @property
    def sequential(self) -> bool:
        """Whether "and then" can follow: something done, stated plainly."""
        done = self.predicate.kind in _DONE and self.verb is not BE
        return done and self.mood is Mood.SIMPLE and not self.negative

    def group(self, agreement: Agreement, *, backshift: bool, support: bool = False) -> list[str]:
        """The verb with its auxiliaries."""
        return verb_group(
            self.verb,
            agreement,
            self.mood,
            self.time,
            negative=self.negative,
            support=support,
            backshift=backshift,
        )

    def english(self, agreement: Agreement, *, backshift: bool = False) -> str:
        """Everything but the subject: "bought three books in Kyoto"."""
        group = self.group(agreement, backshift=backshift)
        return spaced(self.adverbs(), *group, self.rest())

    def adverbs(self) -> str:
        """What stands before the verb: "often"."""
        return " ".join(a.english() for a in self.arguments if a.english_rank < 0)

    def rest(self) -> str:
        """What follows the verb."""
        following = sorted(
            (a for a in self.arguments if a.english_rank >= 0 and not a.fronted),
            key=lambda a: a.english_rank,
        )
        return spaced(self.complement, *(a.english() for a in following))

    def japanese(self, form: Form) -> str:
        """Arguments in Japanese order, the predicate last."""
        ordered = sorted(self.arguments, key=lambda a: a.japanese_rank)
        return "".join(a.japanese() for a in ordered) + self._inflected(form)

    def _inflected(self, form: Form) -> str:
        predicate, negative = self.predicate, self.negative
        if self.mood is Mood.MAY:
            predicate = conjugation.possibility(predicate, negative=negative)
            negative = False
        elif self.mood is not Mood.SIMPLE:
            predicate = _MOODS[self.mood](predicate)
        past = self.time is Time.PAST
        return conjugation.inflect(predicate, form, past=past, negative=negative)


_DONE = frozenset({Kind.GODAN, Kind.ICHIDAN, Kind.SURU})
_MOODS = {
    Mood.PROGRESSIVE: conjugation.progressive,
    Mood.ABLE: conjugation.ability,
    Mood.MUST: conjugation.obligation,
    Mood.PLAN: conjugation.plan,
    Mood.BEGIN: conjugation.beginning,
    Mood.TRY: conjugation.trial,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A subject and one or more verb phrases that share it.

    Two verb phrases are joined by "and" and the te-form, more by commas and the continuative.
    A `subject` without Japanese text (it, there) gets no marker. `front` is a time put first.
    """

    subject: Phrase
    phrases: tuple[VerbPhrase, ...]
    front: Word | None = None

    @property
    def sequential(self) -> bool:
        """The last verb phrase decides."""
        return self.phrases[-1].sequential

    def english(self, *, backshift: bool = False) -> str:
        """[time,] subject verb phrases."""
        agreement = self.subject.agreement
        *head, last = [p.english(agreement, backshift=backshift) for p in self.phrases]
        joint = ", and " if len(head) > 1 else " and " if head else ""
        front = f"{self.front.english()}, " if self.front else ""
        return f"{front}{self.subject.english()} {', '.join(head)}{joint}{last}"

    def japanese(self, form: Form, marker: str) -> str:
        """[time、] subject, verb phrases, the last one in `form`."""
        text = f"{self.front.japanese()}、" if self.front else ""
        subject = self.subject.japanese()
        text += subject + marker if subject else ""
        *head, last = self.phrases
        if len(head) == 1:
            return text + head[0].japanese(Form.TE) + last.japanese(form)
        text += "".join(p.japanese(Form.CONTINUATIVE) + "、" for p in head)
        return text + last.japanese(form)


@dataclass(frozen=True, slots=True)
class SubjectRelative:
    """ "who bought a book": the noun is the subject."""

    pronoun: str
    phrase: VerbPhrase

    def english(self, agreement: Agreement) -> str:
        """The noun's number decides the verb's form."""
        return f"{self.pronoun} {self.phrase.english(agreement)}"

    def japanese(self, form: Form) -> str:
        """本を買った."""
        return self.phrase.japanese(form)


@dataclass(frozen=True, slots=True)
class ClauseRelative:
    """ "that Tanaka bought", "where Tanaka works": the noun is an object or a place."""

    pronoun: str
    clause: Clause

    def english(self, agreement: Agreement) -> str:
        """The clause has its own subject; `agreement` does not matter."""
        return f"{self.pronoun} {self.clause.english()}"

    def japanese(self, form: Form) -> str:
        """田中さんが買った."""
        return self.clause.japanese(form, "が")


@dataclass(frozen=True, slots=True)
class Purpose:
    """ "to buy three books": 三冊の本を買うために."""

    phrase: VerbPhrase
    agreement: Agreement = Agreement.THIRD

    def english(self) -> str:
        """The infinitive without its "to", which is the argument's preposition."""
        return spaced(self.phrase.verb.base, self.phrase.rest())

    def japanese(self) -> str:
        """The dictionary form; ために is the argument's particle."""
        return self.phrase.japanese(Form.DICTIONARY)
