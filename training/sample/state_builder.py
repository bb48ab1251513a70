"""Random verb phrases about how somebody is: has, lives, likes, is a doctor, is busy."""

import dataclasses

from longspan.training.sample.adjuncts import AdjunctBuilder, argument, words_of
from longspan.training.sample.clauses import VerbPhrase
from longspan.training.sample.conjugation import Kind, Predicate
from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.english import BE, Mood, Time, Verb, regular_verb, with_article
from longspan.training.sample.lexicon import Lexicon
from longspan.training.sample.noun_builder import NounBuilder
from longspan.training.sample.phrases import NounPhrase
from longspan.training.sample.setting import Setting, Shape

__all__ = ["StateBuilder"]

_BECOME = Verb("become", "becomes", "became", "become", "becoming")
_LIVE, _HAVE, _LIKE = regular_verb("live"), regular_verb("have", "had"), regular_verb("like")
_LIVING = Predicate("住んでいる", Kind.IRU)
_HAVING = Predicate("持っている", Kind.IRU)
_LIKING = Predicate("好き", Kind.QUALITY)
_OWNED = ("goods", "machine", "text", "picture", "instrument", "clothes")
_LIKED = ("food", "drink", "subject", "sport", "plant", "animal", "dish")
# kind: fewest words, weight
_KINDS = {"like": (2, 3), "have": (3, 4), "live": (3, 3), "described": (2, 2), "profession": (3, 3)}


def _kinds(budget: int) -> Weighted[str]:
    fitting = {kind: weight for kind, (least, weight) in _KINDS.items() if least <= budget}
    return Weighted(list(fitting), list(fitting.values()))


_KINDS_BY_BUDGET = tuple(_kinds(max(budget, 2)) for budget in range(4))


class StateBuilder:
    """Makes verb phrases that describe one person."""

    def __init__(
        self, dice: Dice, lexicon: Lexicon, nouns: NounBuilder, adjuncts: AdjunctBuilder
    ) -> None:
        self.dice, self.lexicon, self.nouns, self.adjuncts = dice, lexicon, nouns, adjuncts

    def state(self, setting: Setting, budget: int) -> VerbPhrase:
        """A state in about `budget` words."""
        kind = self.dice.draw(_KINDS_BY_BUDGET[max(0, min(budget, 3))])
        negative = setting.negatable and budget > 5 and self.dice.chance(0.12)
        if kind == "profession":
            return self._profession(setting, budget, negative)
        if kind == "described":
            adjective = self.dice.draw(self.lexicon.adjectives["person"])
            very = budget > 2 and not negative and self.dice.chance(0.4)
            predicate = adjective.predicate
            if very:
                predicate = Predicate("とても" + predicate.text, predicate.kind)
            text = ("very " if very else "") + adjective.english
            return VerbPhrase(BE, predicate, (), text, Mood.SIMPLE, setting.time, negative)
        if kind == "like":
            return self._liking(setting, negative)
        return self._living(setting, budget) if kind == "live" else self._having(setting, budget)

    def become(self, setting: Setting, budget: int) -> VerbPhrase:
        """ "became a famous doctor"."""
        phrase = self._person(budget)
        predicate = Predicate(f"{phrase.japanese()}になる", Kind.GODAN)
        time = Time.FUTURE if setting.shape is Shape.FREE and not setting.past else setting.time
        text = with_article(phrase.english())
        made = VerbPhrase(_BECOME, predicate, (), text, time=time)
        return self.adjuncts.fill(made, setting, budget, ("time",))

    def born(self, setting: Setting, budget: int) -> VerbPhrase:
        """ "was born in Kyoto in 1975": always past."""
        place = self.adjuncts.at(self.dice.draw(self.lexicon.cities), "で")
        predicate = Predicate("生まれる", Kind.ICHIDAN)
        made = VerbPhrase(BE, predicate, (place,), "born", time=Time.PAST)
        dated = dataclasses.replace(setting, loose=False)
        return self.adjuncts.fill(made, dated, budget, ("time",))

    def _person(self, budget: int) -> NounPhrase:
        phrase = NounPhrase(self.dice.draw(self.lexicon.nouns["profession"]))
        if budget > 3 and self.dice.chance(0.5):
            adjective = self.dice.draw(self.lexicon.adjectives["person"])
            phrase = dataclasses.replace(phrase, adjective=adjective)
        return phrase

    def _profession(self, setting: Setting, budget: int, negative: bool) -> VerbPhrase:
        phrase = self._person(budget)
        predicate = Predicate(phrase.japanese(), Kind.NOUN)
        text = with_article(phrase.english())
        return VerbPhrase(BE, predicate, (), text, Mood.SIMPLE, setting.time, negative)

    def _liking(self, setting: Setting, negative: bool) -> VerbPhrase:
        thing = argument("object", self.nouns.bare(_LIKED), particle="が")
        return VerbPhrase(_LIKE, _LIKING, (thing,), time=setting.time, negative=negative)

    def _living(self, setting: Setting, budget: int) -> VerbPhrase:
        place = self.adjuncts.at(self.dice.draw(self.lexicon.cities), "に")
        phrase = VerbPhrase(_LIVE, _LIVING, (place,), time=setting.time)
        options = ("long duration", "company") if setting.past else ("company",)
        still = dataclasses.replace(setting, heavy=False)
        return self.adjuncts.fill(phrase, still, budget, options)

    def _having(self, setting: Setting, budget: int) -> VerbPhrase:
        phrase = VerbPhrase(_HAVE, _HAVING, time=setting.time)
        thing = self.nouns.thing_or_list(_OWNED, budget - words_of(phrase))
        return dataclasses.replace(phrase, arguments=(argument("object", thing, particle="を"),))
