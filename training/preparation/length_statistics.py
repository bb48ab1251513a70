"""Lengths of a corpus by bucket of source words: words, tokens and characters of both sides."""

from collections.abc import Sequence
from typing import Any

from longspan.training.buckets import BUCKETS, bucket_of, count_words
from longspan.training.pairs.pairs import Pair

__all__ = ["LengthStatistics"]

_UNITS = ("words", "tokens", "characters")


class LengthStatistics:
    """Sums and largest values per bucket; adding pairs in any order gives the same."""

    def __init__(self) -> None:
        self._pairs = dict.fromkeys((b.name for b in BUCKETS), 0)
        self._joined = dict.fromkeys(self._pairs, 0)
        # Per bucket: words, tokens, characters of the source, then of the target.
        self._sums = {name: [0] * 6 for name in self._pairs}
        self._largest = {name: [0] * 6 for name in self._pairs}

    def add(self, pair: Pair, source_ids: Sequence[int], target_ids: Sequence[int]) -> None:
        """Count one pair; the ids are without EOS."""
        words = count_words(pair.source)
        name = bucket_of(words).name
        sizes = (
            words,
            len(source_ids),
            len(pair.source),
            count_words(pair.target),
            len(target_ids),
            len(pair.target),
        )
        self._pairs[name] += 1
        self._joined[name] += pair.joined
        sums, largest = self._sums[name], self._largest[name]
        for i, size in enumerate(sizes):
            sums[i] += size
            if size > largest[i]:
                largest[i] = size

    @property
    def pairs(self) -> int:
        """Pairs in all buckets."""
        return sum(self._pairs.values())

    def to_json(self) -> dict[str, Any]:
        """By bucket: pairs, joined ones, and per side and unit the mean and the largest."""
        return {name: self._bucket(name) for name in self._pairs}

    def _bucket(self, name: str) -> dict[str, Any]:
        count, sums, largest = self._pairs[name], self._sums[name], self._largest[name]
        sides = {
            side: {
                unit: {
                    "mean": _ratio(sums[first + i], count),
                    "largest": largest[first + i],
                    "sum": sums[first + i],
                }
                for i, unit in enumerate(_UNITS)
            }
            for side, first in (("source", 0), ("target", 3))
        }
        ratios = {unit: _ratio(sums[3 + i], sums[i]) for i, unit in enumerate(_UNITS)}
        return {
            "pairs": count,
            "joined": self._joined[name],
            **sides,
            "target_per_source": ratios,
        }


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
