"""The order of the examples of an epoch, and the bounds of its batches, for little padding."""

import numpy as np

from longspan.training.corpus.pair_corpus import IntArray
from longspan.training.hyperparameters import Hyperparameters

__all__ = ["batch_starts", "order_examples"]

# Most padded source tokens of a batch, as a multiple of its budget of padded target tokens.
_SOURCE_SHARE = 2
# A bucket is at most a tenth of its length wide, so that short sentences get little padding.
_RELATIVE_WIDTH = 10
# Most bits of a sort key for the noisy source length; the rest holds bucket and index.
_NOISE_BITS = 30
_CHUNK = 1 << 20


def order_examples(
    sources: IntArray,
    targets: IntArray,
    hyperparameters: Hyperparameters,
    generator: np.random.Generator,
) -> IntArray:
    """Order examples by bucket of target length, and in a bucket by noisy source length.

    sources and targets (examples,) are lengths in tokens. Returns example numbers (examples,).
    With `bucketing_enabled` false the order is random.

    Each example gets one 64-bit key, and the keys are sorted in place:

        | bucket | noisy source length, 30 bits at most | index |

    Odd buckets run from long to short sources, so that a batch across the bound of two buckets does
    not mix the longest with the shortest sources.
    """
    count = len(targets)
    if not hyperparameters.bucketing_enabled or not count:
        return generator.permutation(count)
    table = _buckets(int(targets.max()), hyperparameters.bucket_width, generator)
    index_bits = count.bit_length()
    source_bits = min(64 - index_bits - int(table[-1]).bit_length(), _NOISE_BITS)
    longest = int(sources.max()) + hyperparameters.bucket_width
    keys = np.arange(count, dtype=np.uint64)
    for first in range(0, count, _CHUNK):  # chunks keep temporary arrays small
        chunk = slice(first, first + _CHUNK)
        lengths = sources[chunk]
        widths = np.clip(lengths // _RELATIVE_WIDTH, 1, hyperparameters.bucket_width)
        noisy = (lengths + widths * generator.random(len(lengths))) / longest  # below 1
        buckets = table[targets[chunk]].astype(np.uint64)
        # Mirrored but still below 1, or it would run over into the bits of the bucket.
        noisy = np.where(buckets & np.uint64(1), np.nextafter(1, 0) - noisy, noisy)
        key = (buckets << np.uint64(source_bits)) | (noisy * 2**source_bits).astype(np.uint64)
        keys[chunk] |= key << np.uint64(index_bits)
    # In place, one array of 64 bits for each example: `argsort` would need a second one.
    keys.sort()
    keys &= np.uint64((1 << index_bits) - 1)
    return keys.astype(np.int32 if index_bits < 32 else np.int64)


def batch_starts(
    sources: IntArray, targets: IntArray, hyperparameters: Hyperparameters
) -> IntArray:
    """Return the first example of each batch, for lengths in order: (batches,)."""
    budget = hyperparameters.token_budget
    if budget is None:
        return np.arange(0, len(targets), hyperparameters.batch_size)
    starts = []
    start = 0
    while start < len(targets):
        starts.append(start)
        start += _fitting(sources, targets, start, budget)
    return np.array(starts, dtype=np.int64)


def _buckets(longest: int, width: int, generator: np.random.Generator) -> IntArray:
    """Return the bucket number of each target length from 0 to `longest`, in rising order.

    Bounds are at most `width` apart, closer for short lengths, and other ones in each epoch.
    """
    bounds = [0]
    while bounds[-1] < longest:
        step = min(max(bounds[-1] // _RELATIVE_WIDTH, 1), width)
        bounds.append(bounds[-1] + int(generator.integers(-(-step // 2), step, endpoint=True)))
    table: IntArray = np.searchsorted(np.array(bounds), np.arange(longest + 1), side="left")
    return table


def _fitting(sources: IntArray, targets: IntArray, start: int, budget: int) -> int:
    """Return how many examples from `start` fit into the budget when padded; at least 1."""
    # Padded to the first target at least, so more examples cannot fit.
    most = max(1, budget // max(1, int(targets[start])))
    counts = np.arange(1, min(most, len(targets) - start) + 1)
    window = slice(start, start + len(counts))
    target = np.maximum.accumulate(targets[window]) * counts
    source = np.maximum.accumulate(sources[window]) * counts
    # Padded sizes for 1, 2, ... examples grow, so the first size that is too large ends the batch.
    fits = (target <= budget) & (source <= _SOURCE_SHARE * budget)
    return max(1, len(counts) if fits.all() else int(fits.argmin()))
