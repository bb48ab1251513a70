"""Random choices that are equal in every version of Python, since all use `Random.random`."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

__all__ = ["RandomChoices", "Weighted"]

_T = TypeVar("_T")


class Weighted(Generic[_T]):
    """Items that are drawn with unequal weights."""

    __slots__ = ("_bounds", "items")

    def __init__(self, items: Sequence[_T], weights: Sequence[float]) -> None:
        total = sum(weights)
        self.items = tuple(items)
        self._bounds = tuple(accumulate(w / total for w in weights))[:-1]

    @classmethod
    def skewed(cls, items: Sequence[_T]) -> "Weighted[_T]":
        """Weight items by a moderate Zipf law: the first of 20 weighs 2.5 times the last."""
        return cls(items, [(rank + 3) ** -0.5 for rank in range(len(items))])

    def pick(self, chance: float) -> _T:
        """Return the item at `chance`, a number of at least 0 and below 1."""
        return self.items[bisect(self._bounds, chance)]


class RandomChoices:
    """A stream of random choices, equal for equal seed texts."""

    __slots__ = ("_roll",)

    def __init__(self, seed: str) -> None:
        self._roll = Random(seed).random

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self._roll() < probability

    def integer(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`, both included; `low` for an empty range."""
        # `Random.randint` may use other numbers in another version of Python.
        return low + int(self._roll() * (high - low + 1)) if high > low else low

    def pick(self, items: Sequence[_T]) -> _T:
        """Return one of `items`, with equal probabilities."""
        return items[int(self._roll() * len(items))]

    def draw(self, items: Weighted[_T]) -> _T:
        """Return one of `items`, by their weights."""
        return items.pick(self._roll())

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """Return a new list with the items in random order."""
        keyed = [(self._roll(), index) for index in range(len(items))]
        return [items[index] for _, index in sorted(keyed)]
