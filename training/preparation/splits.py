"""Splits: each pair is assigned to training, validation or test, or removed.

    all pairs -> duplicates removed -> pairs that share with given splits removed
              -> test drawn         -> pairs that share with it removed
              -> validation drawn   -> pairs that share with it removed -> training

Assignments follow from 64-bit keys alone (see `spool`), by numpy in chunks. Memory is one byte a
pair and that of a chunk: 50 MB for 50 million pairs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from longspan.training.errors import DataError
from longspan.training.preparation.settings import SplitSettings
from longspan.training.preparation.spool import KEY, Spooled

__all__ = [
    "DUPLICATE_PAIR",
    "SHARES_HELD_OUT",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "HeldOut",
    "assign_splits",
    "mix_hashes",
    "pair_keys",
]

Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]

# Assignments of a pair. The last two are removed.
TRAIN, VALIDATION, TEST, DUPLICATE_PAIR, SHARES_HELD_OUT = range(5)

_PAIRS_PER_PARTITION = 1 << 20
_DEFAULT_SIZE = 2000
_DEFAULT_SHARE = 100
_RECORD = np.dtype([("key", "<u8"), ("index", "<u8")])


@dataclass(frozen=True)
class HeldOut:
    """Texts and documents that training must not share: sorted unique hashes of each."""

    sources: Hashes
    targets: Hashes
    documents: Hashes

    @classmethod
    def of(
        cls, spool: Spooled, settings: SplitSettings, assigned: Bytes, assignment: int
    ) -> "HeldOut":
        """Collect hashes of all pairs with one assignment; documents only with `by_document`."""
        parts = [
            keys[assigned[start : start + len(keys)] == assignment]
            for start, keys in spool.key_chunks()
        ]
        # The empty array is for a spool without chunks, since nothing cannot be concatenated.
        keys = np.concatenate([np.empty(0, dtype=KEY), *parts])
        documents = np.unique(keys["document"]) if settings.by_document else keys["document"][:0]
        return cls(np.unique(keys["source"]), np.unique(keys["target"]), documents[documents != 0])

    def shares(self, keys: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Return which keys share a source, target or document with these: (keys,)."""
        return (
            _among(keys["source"], self.sources)
            | _among(keys["target"], self.targets)
            | _among(keys["document"], self.documents)
        )


def assign_splits(
    spool: Spooled,
    folder: Path,
    settings: SplitSettings,
    given: Iterable[HeldOut],
    draw: Iterable[int],
) -> Bytes:
    """Assign every pair: (pairs,) uint8.

    First, pairs that share a text or document with a `given` split are removed from training. Then
    the splits in `draw` are drawn in turn from the pairs left, and pairs that share with them are
    removed. Raises DataError when a split cannot be drawn, or no pair is left to train on.
    """
    assigned = np.zeros(len(spool), dtype=np.uint8)
    _mark_duplicates(spool, assigned, folder)
    unique = int(np.count_nonzero(assigned == TRAIN))
    for held_out in given:
        _remove_sharing(spool, assigned, held_out)
    if unique and not np.any(assigned == TRAIN):
        raise DataError(
            f"expected pairs to train on, but all {unique:,} were held out: each shares its "
            "source, target or document with the given validation or test pairs; give files for "
            "--validation and --test that are not the training text"
        )
    sizes = {TEST: settings.test_size, VALIDATION: settings.validation_size}
    for split in draw:
        size = sizes[split]
        if size is None:
            size = min(_DEFAULT_SIZE, max(1, unique // _DEFAULT_SHARE))
        if size:
            _draw(spool, assigned, split, size, settings)
            _remove_sharing(spool, assigned, HeldOut.of(spool, settings, assigned, split))
    return assigned


def mix_hashes(values: Hashes, seed: int = 0) -> Hashes:
    """Permute hashes by SplitMix64's finaliser (Steele et al. 2014) and a seed: (values,)."""
    start = (seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64
    # Unsigned numbers of numpy wrap around, as the algorithm expects.
    z = values + np.uint64(start)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def pair_keys(keys: npt.NDArray[Any]) -> Hashes:
    """Return one hash of source and target, which are not interchangeable: (keys,)."""
    # Mixed twice, or a pair with its sides exchanged would have the same hash.
    return mix_hashes(mix_hashes(keys["source"]) + keys["target"])


def _mark_duplicates(spool: Spooled, assigned: Bytes, folder: Path) -> None:
    """Mark all but the first of equal pairs.

    Keys are written to partition files by their hashes, and each file is sorted in memory. Equal
    keys are in the same file.
    """
    # About 16 MB a partition, and at most 256 open files.
    count = max(1, min(256, -(-len(spool) // _PAIRS_PER_PARTITION)))
    paths = [folder / f"partition.{number:03d}" for number in range(count)]
    files = [path.open("wb") for path in paths]
    try:
        for start, keys in spool.key_chunks():
            hashes = pair_keys(keys)
            records = np.empty(len(keys), dtype=_RECORD)
            records["key"], records["index"] = hashes, np.arange(start, start + len(keys))
            partition = hashes % np.uint64(count)
            for number, file in enumerate(files):
                records[partition == number].tofile(file)
    finally:
        for file in files:
            file.close()
    # A stable sort keeps the order of the input, so the first of equal pairs stays.
    for path in paths:
        records = np.fromfile(path, dtype=_RECORD)
        records = records[np.argsort(records["key"], kind="stable")]
        # Equal keys are neighbours now; the first of them is not marked.
        again = records["key"][1:] == records["key"][:-1]
        assigned[records["index"][1:][again]] = DUPLICATE_PAIR
        path.unlink()


def _remove_sharing(spool: Spooled, assigned: Bytes, held_out: HeldOut) -> None:
    for start, keys in spool.key_chunks():
        part = assigned[start : start + len(keys)]
        # `part` is a view, so this writes to `assigned`.
        part[(part == TRAIN) & held_out.shares(keys)] = SHARES_HELD_OUT


def _draw(spool: Spooled, assigned: Bytes, split: int, size: int, settings: SplitSettings) -> None:
    """Draw whole groups by their seeded hashes, so that the order of the input does not matter."""
    # A group has at least one pair, so these are enough groups even if some are too large.
    groups, counts = _first_groups(spool, assigned, split, 4 * size + 1000, settings)
    chosen = _choose(groups, counts, size, int(np.count_nonzero(assigned == TRAIN)))
    for start, keys in spool.key_chunks():
        part = assigned[start : start + len(keys)]
        part[(part == TRAIN) & _among(_groups(keys, split, settings), chosen)] = split


def _first_groups(
    spool: Spooled, assigned: Bytes, split: int, limit: int, settings: SplitSettings
) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Return the `limit` smallest group hashes and the number of their pairs: both (groups,)."""
    groups, counts = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    for start, keys in spool.key_chunks():
        free = keys[assigned[start : start + len(keys)] == TRAIN]
        found, times = np.unique(_groups(free, split, settings), return_counts=True)
        merged, where = np.unique(np.concatenate([groups, found]), return_inverse=True)
        sums = np.zeros(len(merged), dtype=np.int64)
        np.add.at(sums, where, np.concatenate([counts, times]))
        # A group that is dropped here cannot be among the smallest of all.
        groups, counts = merged[:limit], sums[:limit]
    return groups, counts


def _choose(groups: Hashes, counts: npt.NDArray[np.int64], size: int, pairs: int) -> Hashes:
    chosen, taken = [], 0
    for group, count in zip(groups.tolist(), counts.tolist(), strict=True):
        # A group that is too large for the rest is passed over; a smaller one may follow.
        if count <= size - taken:
            chosen.append(group)
            taken += count
        if taken >= size:
            break
    if not chosen and len(groups) > 1:
        # Every document is larger than the size asked for: take the smallest one.
        chosen = [int(groups[np.argmin(counts)])]
        taken = int(counts.min())
    # Never more than half of the pairs are held out.
    if not chosen or 2 * taken > pairs:
        raise DataError(
            f"expected a corpus from which {size:,} pairs can be held out, got {pairs:,} pairs in "
            f"{len(groups):,} document(s); give --validation and --test files, smaller sizes, or "
            "--split-by pair"
        )
    return np.sort(np.array(chosen, dtype=np.uint64))


def _groups(keys: npt.NDArray[Any], split: int, settings: SplitSettings) -> Hashes:
    """Return group hashes: of the document, or else of pairs with the same source: (keys,)."""
    group = keys["source"]
    if settings.by_document:
        group = np.where(keys["document"] != 0, keys["document"], group)
    # A different order for each split: VALIDATION and TEST are below 8.
    return mix_hashes(group, settings.seed * 8 + split)


def _among(values: Hashes, sorted_values: Hashes) -> npt.NDArray[np.bool_]:
    if not len(sorted_values):
        return np.zeros(len(values), dtype=np.bool_)
    # Binary search: (values,) places among the sorted ones.
    places = np.searchsorted(sorted_values, values)
    # A value above all others has no place; any place will do, since the values differ there.
    places[places == len(sorted_values)] = 0
    return np.asarray(sorted_values[places] == values, dtype=np.bool_)
