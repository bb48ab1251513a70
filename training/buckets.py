"""Sentence-length buckets: every figure of quality is reported per bucket of source words."""

from dataclasses import dataclass

__all__ = [
    "BUCKETS",
    "LEAST_BLEU",
    "MEDIUM",
    "Bucket",
    "bucket_of",
    "count_words",
    "share_kept",
]


@dataclass(frozen=True)
class Bucket:
    """Sentences of `low` to `high` source words, both included; `high` None is open-ended."""

    low: int
    high: int | None

    @property
    def name(self) -> str:
        """As shown in tables: `11-20`, or `over 100` for the open one."""
        return f"{self.low}-{self.high}" if self.high is not None else f"over {self.low - 1}"

    def holds(self, words: int) -> bool:
        """Whether a sentence of `words` words falls into this bucket."""
        return self.low <= words and (self.high is None or words <= self.high)


_BOUNDS = (1, 6, 11, 21, 31, 51, 76, 101)
BUCKETS: tuple[Bucket, ...] = tuple(
    Bucket(low, high)
    for low, high in zip(_BOUNDS, [*(b - 1 for b in _BOUNDS[1:]), None], strict=True)
)

# The bucket that long sentences are compared with.
MEDIUM = "11-20"
# A share of less BLEU than this says nothing: where every sentence is wrong, nothing is lost.
# One output for all sources of real text scores up to 0.8 at 11 to 20 words (docs/config.md).
LEAST_BLEU = 8.0


def count_words(text: str) -> int:
    """Length of a source sentence: its whitespace-separated words."""
    return len(text.split())


def bucket_of(words: int) -> Bucket:
    """The bucket of a sentence of `words` words; an empty one counts with the shortest."""
    return next((b for b in BUCKETS if b.holds(words)), BUCKETS[0])


def share_kept(long: float | None, medium: float | None, least: float) -> float | None:
    """`long` over `medium`, both BLEU; None where either is unknown, or `medium` below `least`."""
    if long is None or not medium or medium < least:
        return None
    return long / medium
