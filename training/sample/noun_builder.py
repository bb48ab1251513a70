"""Random noun phrases of a wanted length: people, things, numbers, lists."""

import dataclasses

from longspan.training.sample.determiners import (
    ORDINALS,
    POSSESSIVES,
    PRONOUNS,
    SINGLE_PRONOUNS,
    THE,
    THESE,
    THIS,
    A,
)
from longspan.training.sample.dice import Dice
from longspan.training.sample.lexicon import Lexicon, Noun
from longspan.training.sample.numerals import english_number, kanji_number
from longspan.training.sample.phrases import Determiner, Listing, NounPhrase, Phrase, Quantity, Word

__all__ = ["NounBuilder", "length"]

_COUNTED = frozenset({"food", "goods", "clothes", "text", "writing", "animal", "plant", "machine"})
_MOST = {"person": 30, "building": 30, "vessel": 30, "instrument": 30, "animal": 99}
# The complement of "of": what a picture shows, what a door belongs to.
_COMPLEMENTS = {"picture": ("building", "animal", "person"), "opening": ("building",)}


def length(phrase: Phrase) -> int:
    """Words of a phrase in English."""
    return len(phrase.english().split())


class NounBuilder:
    """Makes noun phrases. `cast` are people that the current document is about."""

    def __init__(self, dice: Dice, lexicon: Lexicon) -> None:
        self.dice, self.lexicon = dice, lexicon
        self.cast: tuple[Phrase, ...] = ()
        # Whom the last phrases were about: nobody sends a letter to himself.
        self._recent: tuple[str, ...] = ()

    def subject(self, budget: int) -> Phrase:
        """Somebody who does something: pronouns too."""
        if self.dice.chance(0.2):
            pronoun = self.dice.draw(PRONOUNS)
            if pronoun.english_text not in self._recent:
                return self._noted(pronoun)
        return self.person(budget)

    def _noted(self, phrase: Phrase) -> Phrase:
        self._recent = (*self._recent[-3:], phrase.english())
        return phrase

    def person(self, budget: int) -> Phrase:
        """Somebody, in at most `budget` words."""
        if self.dice.chance(0.2):
            known = self.dice.pick(self.cast)
            if length(known) <= budget and known.english() not in self._recent:
                return self._noted(known)
        if budget < 2 or self.dice.chance(0.5):
            return self.name()
        if self.dice.chance(0.2):
            return self.relation(budget)
        return self.thing("person", budget)

    def name(self) -> Word:
        """A person's name."""
        english, japanese = self.dice.draw(self.lexicon.names)
        while english in self._recent:
            english, japanese = self.dice.draw(self.lexicon.names)
        self._recent = (*self._recent[-3:], english)
        return Word(english, japanese)

    def one(self, budget: int) -> Phrase:
        """One person, as the subject of "is a doctor"."""
        roll = self.dice.integer(1, 10)
        if roll <= 2:
            return self.dice.pick(SINGLE_PRONOUNS)
        if roll <= 5 and budget >= 2:
            return self.definite("person")
        return self.name()

    def definite(self, category: str) -> NounPhrase:
        """A known thing in two words: "the temple", "my camera"."""
        noun = self.dice.draw(self.lexicon.nouns[category])
        roll = self.dice.integer(1, 10)
        if roll <= 6 or category == "person":
            return NounPhrase(noun, determiner=THE)
        if roll <= 8:
            return NounPhrase(noun, determiner=self.dice.pick(THIS))
        return NounPhrase(noun, determiner=self.dice.draw(POSSESSIVES))

    def indefinite(self, category: str, budget: int) -> NounPhrase:
        """Something new: "a dog", "three old trees"."""
        noun = self.dice.draw(self.lexicon.nouns[category])
        most = _MOST.get(noun.category, 999)
        number = self.number(noun, max(1, budget - 1), most) if self.dice.chance(0.6) else None
        if number:
            phrase = NounPhrase(noun, not number.singular, quantity=number)
        else:
            phrase = NounPhrase(noun, determiner=A)
        return self._described(phrase, budget - length(phrase))

    def people(self, budget: int) -> Phrase:
        """One person or several: "Ken and the old teacher"."""
        if budget < 3 or self.dice.chance(0.85):
            return self.person(budget)
        first = self.name()
        return Listing((first, self.person(min(budget - 2, 3))))

    def relation(self, budget: int) -> NounPhrase:
        """ "my mother", "Tanaka's three sons"."""
        noun = self.dice.draw(self.lexicon.nouns["kin"])
        spare = budget - len(noun.english.split()) - 1
        owner = self.dice.draw(POSSESSIVES)
        if self.dice.chance(0.3):
            english, japanese = self.dice.draw(self.lexicon.names)
            owner = Determiner(f"{english}'s", f"{japanese}の")
        phrase = NounPhrase(noun, determiner=owner)
        if noun.counter and spare >= 1 and self.dice.chance(0.25):
            quantity = self.number(noun, 1, 5)
            phrase = dataclasses.replace(phrase, quantity=quantity, plural=not quantity.singular)
        return phrase

    def number(self, noun: Noun, budget: int, largest: int = 999) -> Quantity:
        """A number with the noun's counter, in at most `budget` words."""
        if largest > 10 and self.dice.chance(0.2):
            figure = self.dice.integer(2, min(largest, 99) if self.dice.chance(0.7) else largest)
            return Quantity(str(figure), f"{figure}{noun.counter}")
        value = self.dice.integer(1, min(largest, 10))
        if largest > 10 and self.dice.chance(0.4):
            value = self.dice.integer(11, min(largest, 99))
        if largest > 100 and budget > 1 and self.dice.chance(0.35):
            hundreds = self.dice.integer(1, 9) * 100
            value = hundreds + (self.dice.integer(1, 99) if budget > 3 else 0)
        return Quantity(english_number(value), kanji_number(value) + noun.counter, value == 1)

    def thing(self, category: str, budget: int) -> NounPhrase:
        """Things of a category, in at most `budget` words (two at least, one for the plural)."""
        noun = self.dice.draw(self.lexicon.nouns[category])
        spare = budget - len(noun.english.split())
        if category in ("subject", "sport"):
            return self._described(NounPhrase(noun), spare)
        if noun.measure:
            return self._measured(noun, spare)
        if spare < 1:
            return NounPhrase(noun, plural=True)
        phrase = self._determined(noun, spare)
        return self._described(phrase, budget - length(phrase))

    def listing(self, categories: tuple[str, ...], budget: int, items: int) -> Phrase:
        """Different things with their numbers: "three apples, an egg, and two fish"."""
        phrases: list[Phrase] = []
        seen = set()
        for _ in range(items * 3):
            room = min(4, (budget - 1) // items)
            phrase = self.thing(self.dice.pick(categories), room)
            if phrase.noun.english not in seen:
                seen.add(phrase.noun.english)
                phrases.append(phrase)
            if len(phrases) == items:
                break
        return Listing(tuple(phrases)) if len(phrases) > 1 else phrases[0]

    def thing_or_list(self, categories: tuple[str, ...], budget: int) -> Phrase:
        """What a verb acts on: people, things, or a list of things with their numbers."""
        category = self.dice.pick(categories)
        if category == "kin":
            return self.relation(max(2, min(budget, 4)))
        if category == "person":
            return self.people(max(1, min(budget, 4)))
        countable = tuple(c for c in categories if c in _COUNTED)
        if countable and budget >= 5 and self.dice.chance(0.35):
            items = self.dice.integer(2, min(5, (budget - 1) // 2))
            return self.listing(countable, budget, items)
        return self.thing(category, max(1, min(budget, self.dice.integer(2, 6))))

    def bare(self, categories: tuple[str, ...]) -> NounPhrase:
        """A kind of thing: "dogs", "coffee", "history"."""
        noun = self.dice.draw(self.lexicon.nouns[self.dice.pick(categories)])
        mass = bool(noun.measure) or noun.category in ("subject", "sport")
        return NounPhrase(noun, plural=not mass)

    def _measured(self, noun: Noun, spare: int) -> NounPhrase:
        if spare < 3 or self.dice.chance(0.3):
            phrase = NounPhrase(noun, determiner=THE if spare >= 1 else None)
            return self._described(phrase, spare - 1)
        number = self.number(noun, 1, 30)
        measure = noun.measure if number.singular else noun.measure + "s"
        quantity = dataclasses.replace(number, english=f"{number.english} {measure} of")
        phrase = NounPhrase(noun, plural=not number.singular, quantity=quantity)
        return self._described(phrase, spare - 3)

    def _determined(self, noun: Noun, spare: int) -> NounPhrase:
        person = noun.category == "person"
        roll = self.dice.integer(1, 95 if person else 100)
        if roll <= 32 and noun.counter:
            number = self.number(noun, spare, _MOST.get(noun.category, 999))
            owned = spare > 1 and roll <= 3 and not person
            owner = self.dice.draw(POSSESSIVES) if owned else None
            return NounPhrase(noun, not number.singular, owner, number)
        if roll <= 57:
            return NounPhrase(noun, determiner=THE)
        if roll <= 75:
            return NounPhrase(noun, determiner=A)
        if roll <= 82:
            return NounPhrase(noun, plural=True, determiner=THE)
        if roll <= 88:
            many = self.dice.chance(0.25)
            return NounPhrase(noun, many, self.dice.pick(THESE if many else THIS))
        if roll <= 92:
            return NounPhrase(noun, plural=True, quantity=self._some(noun))
        if (roll <= 95 and spare > 1) or person:
            english, japanese = self.dice.pick(ORDINALS)
            return NounPhrase(noun, False, THE, Quantity(english, japanese))
        return NounPhrase(noun, determiner=self.dice.draw(POSSESSIVES))

    def _some(self, noun: Noun) -> Quantity:
        if noun.counter and self.dice.chance(0.5):
            return Quantity("some", f"何{noun.counter}か")
        return Quantity("many", "多く")

    def _described(self, phrase: NounPhrase, spare: int) -> NounPhrase:
        """Add an adjective and a complement where there is room."""
        category = phrase.noun.category
        fitting = self.lexicon.adjectives.get(category)
        if spare >= 1 and fitting and self.dice.chance(0.55):
            adjective = self.dice.draw(fitting)
            gradable = bool(adjective.comparative) and phrase.quantity is None
            very = spare >= 2 and gradable and self.dice.chance(0.2)
            phrase = dataclasses.replace(phrase, adjective=adjective, very=very)
            spare -= 2 if very else 1
        plain = phrase.determiner in (None, THE, A) and phrase.noun.english != "box"
        whole = _COMPLEMENTS.get(category) if plain else None
        if whole and spare >= 3 and self.dice.chance(0.5):
            noun = self.dice.draw(self.lexicon.nouns[self.dice.pick(whole)])
            phrase = dataclasses.replace(phrase, complement=NounPhrase(noun, determiner=THE))
        return phrase
