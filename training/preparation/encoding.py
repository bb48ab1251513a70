"""Encoding: the pairs of a split written as a corpus folder, with statistics of their lengths."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from longspan.training.buckets import BUCKETS, bucket_of
from longspan.training.corpus.shards import ShardWriter
from longspan.training.lengths import count_words
from longspan.training.pairs.pairs import Pair
from longspan.training.preparation.spool import document_number
from longspan.training.progress import Progress
from longspan.training.tokenizer.tokenizer import EOS, UNK, Tokenizer

__all__ = ["EncodedSplit", "LengthStatistics", "encode_split"]

_BATCH = 4096
_UNITS = ("words", "tokens", "characters")


class LengthStatistics:
    """Lengths of pairs by bucket of source words: words, tokens and characters of both sides.

    The order in which pairs are added does not matter.
    """

    def __init__(self) -> None:
        self._pairs = dict.fromkeys((b.name for b in BUCKETS), 0)
        self._joined = dict.fromkeys(self._pairs, 0)
        # For each bucket: words, tokens, characters of the source, then of the target.
        self._sums = {name: [0] * 6 for name in self._pairs}
        self._largest = {name: [0] * 6 for name in self._pairs}

    def add(self, pair: Pair, source_ids: Sequence[int], target_ids: Sequence[int]) -> None:
        """Add one pair; the ids are without EOS."""
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
        """Number of pairs in all buckets."""
        return sum(self._pairs.values())

    def to_json(self) -> dict[str, Any]:
        """Return for each bucket: pairs, joined pairs, and mean, largest and sum of lengths."""
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


class EncodedSplit:
    """The figures of one split for the manifest."""

    def __init__(self) -> None:
        self.lengths = LengthStatistics()
        self.unknown = {"source": 0, "target": 0}

    def to_json(self) -> dict[str, Any]:
        """Return length statistics by bucket and unknown tokens by side."""
        return {"lengths": self.lengths.to_json(), "unknown_tokens": self.unknown}


def encode_split(
    pairs: Iterable[Pair], directory: Path, tokenizer: Tokenizer, total: int | None = None
) -> EncodedSplit:
    """Write the pairs in order; texts are tokenised in batches on all cores."""
    split = EncodedSplit()
    # The ids of both sides are stored in one width, that of the larger vocabulary.
    size = max(len(tokenizer.source), len(tokenizer.target))
    threads = len(os.sched_getaffinity(0))
    with (
        Progress(total, "pairs", f"encoding {directory.name}") as shown,
        ShardWriter(directory, vocabulary_size=size, tokenizer=tokenizer.fingerprint) as writer,
    ):
        for batch in _batches(pairs):
            sources = tokenizer.source.encode_batch([p.source for p in batch], threads)
            targets = tokenizer.target.encode_batch([p.target for p in batch], threads)
            for pair, source, target in zip(batch, sources, targets, strict=True):
                split.lengths.add(pair, source, target)
                split.unknown["source"] += source.count(UNK)
                split.unknown["target"] += target.count(UNK)
                # After the statistics, which count no EOS.
                source.append(EOS)
                target.append(EOS)
                position = -1 if pair.position is None else pair.position
                writer.add(source, target, document_number(pair.document), position)
            shown.add(len(batch))
    return split


def _batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    remaining = iter(pairs)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
