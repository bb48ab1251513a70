"""Random noun phrases of a wanted length: people, counted things and lists."""

from longspan.training.sample.english import with_article
from longspan.training.sample.lexicon import Adjective, Lexicon, Noun
from longspan.training.sample.phrases import (
    DEMONSTRATIVES,
    POSSESSIVES,
    PRONOUNS,
    Phrase,
    english_number,
    kanji_number,
    listing,
)
from longspan.training.sample.random_choices import RandomChoices

__all__ = ["NounBuilder"]

_COUNTED = ("goods", "food", "text", "machine", "animal")
# Most words of a thing, such as "three old books".
_MOST_WORDS = 4


class NounBuilder:
    """A builder of random noun phrases. `cast` are the people of the current document."""

    def __init__(self, random: RandomChoices, lexicon: Lexicon) -> None:
        self.random, self.lexicon = random, lexicon
        self.cast: tuple[Phrase, ...] = ()
        self._last_name = Phrase("", "")

    def new_cast(self) -> None:
        """Draw the people of a new document."""
        self.cast = (self.name(), self.name(), self.definite("person"))

    def name(self) -> Phrase:
        """Return a person's name, other than the last one."""
        name = self.random.draw(self.lexicon.names)
        while name == self._last_name:
            name = self.random.draw(self.lexicon.names)
        self._last_name = name
        return name

    def subject(self, budget: int) -> Phrase:
        """Return a subject: people or a pronoun."""
        return self.random.pick(PRONOUNS) if self.random.chance(0.2) else self.person(budget)

    def person(self, budget: int) -> Phrase:
        """Return one or two people, in at most `budget` words."""
        if budget >= 3 and self.random.chance(0.1):
            return listing((self.name(), self.name()))
        known = self.random.pick(self.cast)
        if known.words <= budget and known != self._last_name and self.random.chance(0.2):
            return known
        if budget < 2 or self.random.chance(0.5):
            return self.name()
        return self.relation() if self.random.chance(0.3) else self.thing("person", budget)

    def relation(self) -> Phrase:
        """Return a relative or friend, such as "my mother" or "Tanaka's friend"."""
        noun = self.random.draw(self.lexicon.nouns["kin"])
        owner = self.random.pick(POSSESSIVES)
        if self.random.chance(0.3):
            name = self.name()
            owner = Phrase(f"{name.english}'s", f"{name.japanese}の")
        return Phrase(f"{owner.english} {noun.english}", owner.japanese + noun.japanese)

    def definite(self, category: str) -> Phrase:
        """Return a definite thing in two words, such as "the temple"."""
        noun = self.random.draw(self.lexicon.nouns[category])
        return Phrase(f"the {noun.english}", noun.japanese)

    def thing(self, category: str, budget: int) -> Phrase:
        """Return things of a category, in two words or in at most `budget` words."""
        noun = self.random.draw(self.lexicon.nouns[category])
        adjective = None
        if budget >= 3 and self.random.chance(0.6):
            adjective = self.random.draw(self.lexicon.adjectives[category])
        if self.random.chance(0.4):
            return self.counted(noun, adjective)
        english, japanese = _described(noun.english, adjective), _japanese(noun, adjective)
        roll = self.random.integer(1, 60)
        if roll <= 30:
            return Phrase(f"the {english}", japanese)
        if roll <= 45 or category == "person":
            return Phrase(with_article(english), japanese)
        owner = self.random.pick((*DEMONSTRATIVES, *POSSESSIVES))
        return Phrase(f"{owner.english} {english}", owner.japanese + japanese)

    def counted(self, noun: Noun, adjective: Adjective | None = None) -> Phrase:
        """Return things with their number, such as "three old books"."""
        number = self.random.integer(1, 99 if self.random.chance(0.3) else 10)
        form = _described(noun.english if number == 1 else noun.plural, adjective)
        many = f"{kanji_number(number)}{noun.counter}の"
        return Phrase(
            f"{english_number(number)} {form}", many + _japanese(noun, adjective), number > 1
        )

    def several(self, categories: tuple[str, ...], items: int) -> Phrase:
        """Return a list of up to `items` different things with their numbers."""
        nouns: dict[str, Noun] = {}
        for _ in range(items):
            noun = self.random.draw(self.lexicon.nouns[self.random.pick(categories)])
            # By name, so that no noun comes twice in a list.
            nouns[noun.english] = noun
        return listing([self.counted(noun) for noun in nouns.values()])

    def object(self, categories: tuple[str, ...], budget: int) -> Phrase:
        """Return the object of a verb: people, things, or a list of things with their numbers."""
        countable = tuple(category for category in categories if category in _COUNTED)
        if countable and budget >= 5 and self.random.chance(0.3):
            return self.several(countable, self.random.integer(2, min(4, budget // 2)))
        category = self.random.pick(categories)
        if category == "kin":
            return self.relation()
        if category == "person":
            return self.person(min(budget, _MOST_WORDS))
        return self.thing(category, min(budget, _MOST_WORDS))


def _described(noun: str, adjective: Adjective | None) -> str:
    return f"{adjective.english} {noun}" if adjective else noun


def _japanese(noun: Noun, adjective: Adjective | None) -> str:
    return (adjective.attributive if adjective else "") + noun.japanese
