"""Encode: a split's pairs to a corpus folder, with their length statistics."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from longspan.training.corpus.shards import ShardWriter
from longspan.training.pairs.pairs import Pair
from longspan.training.preparation.length_statistics import LengthStatistics
from longspan.training.preparation.spool import document_number
from longspan.training.progress import Progress
from longspan.training.tokenizer.tokenizer import EOS, UNK, Tokenizer

__all__ = ["EncodedSplit", "encode_split"]

_BATCH = 4096


class EncodedSplit:
    """What the manifest says of one split."""

    def __init__(self) -> None:
        self.lengths = LengthStatistics()
        self.unknown = {"source": 0, "target": 0}

    def to_json(self) -> dict[str, Any]:
        """Length statistics by bucket and unknown tokens by side."""
        return {"lengths": self.lengths.to_json(), "unknown_tokens": self.unknown}


def encode_split(
    pairs: Iterable[Pair], directory: Path, tokenizer: Tokenizer, total: int | None = None
) -> EncodedSplit:
    """Write the pairs in order; batches of texts are tokenised on all cores."""
    split = EncodedSplit()
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
