"""A held-out split: pairs that are drawn from the corpus or given as a file, and joined pairs."""

import dataclasses
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from longspan.training.lengths import count_words
from longspan.training.pairs.pairs import Pair
from longspan.training.preparation.collection import Collected
from longspan.training.preparation.joining import LONG_WORDS, WANTED_LONG, joined_pairs

__all__ = ["HeldOutSplit"]

# Most pairs that are searched for neighbours to join; a given file may be larger.
_JOINING_PAIRS = 100_000


class HeldOutSplit:
    """Validation or test pairs. `given` are those collected from a file, None if they are drawn."""

    def __init__(self, given: Collected | None = None) -> None:
        self.given = given
        self._drawn: list[Pair] = []
        self._joined: list[Pair] = []
        self._joined_counts: dict[str, int] = {}

    def draw(self, pair: Pair) -> None:
        """Add a pair that was drawn from the corpus."""
        self._drawn.append(pair)

    def join(self, separators: tuple[str, str]) -> None:
        """Add joined pairs until 100 pairs have over 100 words, or no neighbours are left."""
        long = sum(1 for pair in self._plain() if count_words(pair.source) >= LONG_WORDS)
        if long < WANTED_LONG:
            material = list(islice(self._plain(), _JOINING_PAIRS))
            self._joined, self._joined_counts = joined_pairs(
                material, WANTED_LONG - long, separators
            )

    def pairs(self) -> Iterator[Pair]:
        """Return all pairs in their order, then the joined ones."""
        return chain(self._plain(), self._joined)

    def to_json(self) -> dict[str, Any]:
        """Return the origin of the pairs, for the manifest."""
        if self.given is None:
            return {"drawn": True, "joined": self._joined_counts}
        return {
            "drawn": False,
            "inputs": [dataclasses.asdict(record) for record in self.given.inputs],
            "read": self.given.read,
            "removed": self.given.removals.to_json(),
            "joined": self._joined_counts,
        }

    def _plain(self) -> Iterator[Pair]:
        return iter(self._drawn) if self.given is None else self.given.spool.pairs()
