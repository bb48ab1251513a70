"""Random choices that are the same in every Python version: all come from `Random.random`."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

__all__ = ["Dice", "Weighted"]

_T = TypeVar("_T")


class Weighted(Generic[_T]):
    """Items drawn with unequal weights; `skewed` gives the head of a list more than its tail."""

    __slots__ = ("_bounds", "items")

    def __init__(self, items: Sequence[_T], weights: Sequence[float]) -> None:
        total = sum(weights)
        self.items = tuple(items)
        self._bounds = tuple(accumulate(w / total for w in weights))[:-1]

    @classmethod
    def skewed(cls, items: Sequence[_T]) -> "Weighted[_T]":
        """A moderate Zipf law: the first of 20 items comes about 2.5 times as often as the last."""
        return cls(items, [(rank + 3) ** -0.5 for rank in range(len(items))])

    def pick(self, chance: float) -> _T:
        """The item at `chance`, a number from 0 to below 1."""
        return self.items[bisect(self._bounds, chance)]


class Dice:
    """A stream of choices. Two dice with the same seed text make the same choices."""

    __slots__ = ("_roll",)

    def __init__(self, seed: str) -> None:
        self._roll = Random(seed).random

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._roll() < probability

    def integer(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included; `low` where the range is empty."""
        return low + int(self._roll() * (high - low + 1)) if high > low else low

    def pick(self, items: Sequence[_T]) -> _T:
        """One of `items`, each as likely as the others."""
        return items[int(self._roll() * len(items))]

    def draw(self, items: Weighted[_T]) -> _T:
        """One of `items`, by weight."""
        return items.pick(self._roll())

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """A new list with the items in random order."""
        keyed = [(self._roll(), index) for index in range(len(items))]
        return [items[index] for _, index in sorted(keyed)]
