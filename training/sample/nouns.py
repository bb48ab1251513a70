"""Random noun phrases of a wanted length: people, things with their numbers, lists."""

from longspan.training.sample.dice import Dice
from longspan.training.sample.english import Agreement, with_article
from longspan.training.sample.lexicon import Adjective, Lexicon, Noun
from longspan.training.sample.phrases import (
    POSSESSIVES,
    PRONOUNS,
    Phrase,
    english_number,
    kanji_number,
    listing,
)

__all__ = ["NounBuilder"]

_COUNTED = ("goods", "food", "text", "machine", "animal")
_THIS = (Phrase("this", "この"), Phrase("that", "あの"))
# The longest description in front of a noun: "three old".
_MOST_WORDS = 4


class NounBuilder:
    """Makes noun phrases. `cast` are people that the current document is about."""

    def __init__(self, dice: Dice, lexicon: Lexicon) -> None:
        self.dice, self.lexicon = dice, lexicon
        self.cast: tuple[Phrase, ...] = ()

    def new_cast(self) -> None:
        """Choose the people that the next sentences are about."""
        self.cast = (self.name(), self.name(), self.definite("person"))

    def name(self) -> Phrase:
        """Return a person's name."""
        return Phrase(*self.dice.draw(self.lexicon.names))

    def subject(self, budget: int) -> Phrase:
        """Return somebody who does something: pronouns too."""
        return self.dice.pick(PRONOUNS) if self.dice.chance(0.2) else self.person(budget)

    def person(self, budget: int) -> Phrase:
        """Return one or two people, in at most `budget` words."""
        if budget >= 3 and self.dice.chance(0.1):
            return listing((self.name(), self.person(budget - 2)))
        if self.dice.chance(0.2):
            known = self.dice.pick(self.cast)
            if known.words <= budget:
                return known
        if budget < 2 or self.dice.chance(0.5):
            return self.name()
        return self.relation() if self.dice.chance(0.3) else self.thing("person", budget)

    def relation(self) -> Phrase:
        """Return "my mother", "Tanaka's friend"."""
        noun = self.dice.draw(self.lexicon.nouns["kin"])
        owner = self.dice.pick(POSSESSIVES)
        if self.dice.chance(0.3):
            name = self.name()
            owner = Phrase(f"{name.english}'s", f"{name.japanese}の")
        return Phrase(f"{owner.english} {noun.english}", owner.japanese + noun.japanese)

    def definite(self, category: str) -> Phrase:
        """Return a known thing in two words: "the temple", "this camera"."""
        noun = self.dice.draw(self.lexicon.nouns[category])
        if category == "person" or self.dice.chance(0.7):
            return Phrase(f"the {noun.english}", noun.japanese)
        return self._owned(noun, None)

    def thing(self, category: str, budget: int) -> Phrase:
        """Return things of a category, in at most `budget` words, but in two at least."""
        noun = self.dice.draw(self.lexicon.nouns[category])
        adjective = None
        if budget >= 3 and category in self.lexicon.adjectives and self.dice.chance(0.6):
            adjective = self.dice.draw(self.lexicon.adjectives[category])
        roll = self.dice.integer(1, 100)
        if roll <= 40:
            return self.counted(noun, adjective)
        if roll <= 65:
            return Phrase(f"the {_english(noun.english, adjective)}", _japanese(noun, adjective))
        if roll <= 85:
            return Phrase(
                with_article(_english(noun.english, adjective)), _japanese(noun, adjective)
            )
        return self._owned(noun, adjective)

    def counted(self, noun: Noun, adjective: Adjective | None) -> Phrase:
        """Return "three old books"."""
        number = self.dice.integer(1, 99 if self.dice.chance(0.3) else 10)
        form = noun.english if number == 1 else noun.plural
        return Phrase(
            f"{english_number(number)} {_english(form, adjective)}",
            f"{kanji_number(number)}{noun.counter}の{_japanese(noun, adjective)}",
            Agreement.THIRD if number == 1 else Agreement.PLURAL,
        )

    def some(self, category: str) -> Phrase:
        """Return a number of things, as what there is somewhere."""
        return self.counted(self.dice.draw(self.lexicon.nouns[category]), None)

    def objects(self, categories: tuple[str, ...], budget: int) -> Phrase:
        """Return what a verb acts on: people, things, or a list of things with their numbers."""
        countable = [category for category in categories if category in _COUNTED]
        if countable and budget >= 5 and self.dice.chance(0.3):
            items = self.dice.integer(2, min(4, budget // 2))
            nouns = [
                self.dice.draw(self.lexicon.nouns[self.dice.pick(countable)]) for _ in range(items)
            ]
            return listing([self.counted(noun, None) for noun in nouns])
        category = self.dice.pick(categories)
        if category == "kin":
            return self.relation()
        if category == "person":
            return self.person(min(budget, _MOST_WORDS))
        return self.thing(category, min(budget, _MOST_WORDS))

    def _owned(self, noun: Noun, adjective: Adjective | None) -> Phrase:
        owner = self.dice.pick(_THIS if self.dice.chance(0.5) else POSSESSIVES)
        return Phrase(
            f"{owner.english} {_english(noun.english, adjective)}",
            owner.japanese + _japanese(noun, adjective),
        )


def _english(noun: str, adjective: Adjective | None) -> str:
    return f"{adjective.english} {noun}" if adjective else noun


def _japanese(noun: Noun, adjective: Adjective | None) -> str:
    return (adjective.attributive if adjective else "") + noun.japanese
