"""Sentence-length buckets, by source words, in which figures of quality are reported.

`lengths.count_words` counts the words. The share kept is BLEU of long sentences over BLEU at 11 to
20 words.
"""

from dataclasses import dataclass

__all__ = [
    "BUCKETS",
    "LEAST_BLEU",
    "MEDIUM",
    "Bucket",
    "bucket_of",
    "share_kept",
]


@dataclass(frozen=True)
class Bucket:
    """Sentences of `low` to `high` source words."""

    low: int
    high: int | None  # included; None: no limit

    @property
    def name(self) -> str:
        """Name in tables: `11-20`, or `over 100` for the bucket without a limit."""
        return f"{self.low}-{self.high}" if self.high is not None else f"over {self.low - 1}"

    def holds(self, words: int) -> bool:
        """Return whether a sentence of `words` words is in this bucket."""
        return self.low <= words and (self.high is None or words <= self.high)


_BOUNDS = (1, 6, 11, 21, 31, 51, 76, 101)
BUCKETS: tuple[Bucket, ...] = tuple(
    Bucket(low, high)
    for low, high in zip(_BOUNDS, [*(b - 1 for b in _BOUNDS[1:]), None], strict=True)
)

# The bucket that long sentences are compared with.
MEDIUM = "11-20"
# Below this BLEU at 11 to 20 words the share kept means nothing: a model whose translations are all
# wrong loses nothing on long ones. The same output for all sources of real text has a BLEU of up to
# 0.8 there (docs/config.md).
LEAST_BLEU = 8.0


def bucket_of(words: int) -> Bucket:
    """Return the bucket of a sentence of `words` words; an empty one is in the shortest."""
    return next((b for b in BUCKETS if b.holds(words)), BUCKETS[0])


def share_kept(long: float | None, medium: float | None, least: float) -> float | None:
    """Return `long` over `medium`, both BLEU; None if one is unknown, or `medium` below `least`."""
    if long is None or not medium or medium < least:
        return None
    return long / medium
