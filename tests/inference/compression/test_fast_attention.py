"""The scores of additive attention that search computes, whatever the size of what they are of."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.inference.compression.fast_attention import FastAdditive, keys_for_search
from longspan.inference.compression.native_scores import scores_of
from longspan.inference.compression.products import has_native_kernels
from longspan.training.model.attention import build_attention

pytestmark = pytest.mark.processor

# Exponentials of floats end at 44: keys and queries up to there, beyond it, far beyond it.
LARGEST = st.sampled_from([1.0, 33.0, 45.0, 100.0, 3e38])
LENGTHS = np.array([5, 1, 3])
OWNER = np.array([0, 1, 2, 0, 2])  # the sentence of each row


def case(heads, largest_query, largest_key, seed):
    """Module, queries (rows, size), keys (tokens, size), as different as their sizes allow."""
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    module = build_attention("additive", 8, 8, 8, heads, 0.0).requires_grad_(False)
    query, keys = (
        (generator.uniform(-1, 1, (n, 8)) * generator.choice([1e-2, 1], (n, 8)) * largest)
        for n, largest in ((len(OWNER), largest_query), (LENGTHS.sum(), largest_key))
    )
    keys[0] = -query[0]
    return FastAdditive(module), query.astype(np.float32), keys.astype(np.float32)


def plain(fast, query, keys):
    """(rows, heads, tokens): v . tanh(q + k) in float64, less the sum of v."""
    v = fast.v.squeeze(-1).double().numpy() / -2  # (heads, d)
    tanh = np.tanh(query[:, None].astype(np.float64) + keys[None].astype(np.float64))
    scores = ((tanh.reshape(*tanh.shape[:2], *v.shape) - 1) * v).sum(-1)  # (rows, tokens, heads)
    return scores.transpose(0, 2, 1)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([1, 4]), LARGEST, LARGEST, st.integers(0, 99))
def test_scores_of_torch(heads, largest_query, largest_key, seed):
    fast, query, keys = case(heads, largest_query, largest_key, seed)
    by_head = (torch.from_numpy(x)[None].unflatten(-1, (heads, -1)) for x in (query, keys))
    asked, read = (x.transpose(1, 2) for x in by_head)  # (1, heads, rows or tokens, d)
    prepared = keys_for_search(read)
    found = [fast.scores(asked[:, :, [row]], prepared)[0, :, 0] for row in range(len(query))]
    torch.testing.assert_close(
        torch.stack(found).double(),
        torch.from_numpy(plain(fast, query, keys)),
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.skipif(not has_native_kernels(), reason="no native kernels here")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from([1, 4]), LARGEST, LARGEST, st.integers(0, 99))
def test_scores_of_the_kernels(heads, largest_query, largest_key, seed):
    fast, query, keys = case(heads, largest_query, largest_key, seed)
    native_scores = scores_of("additive", fast)
    start = np.cumsum(LENGTHS) - LENGTHS
    scores = np.full((len(OWNER), heads * LENGTHS.max()), np.nan, np.float32)
    prepared = native_scores.keys(keys)
    native_scores(query, prepared, (start, LENGTHS, OWNER), scores, heads)
    expected = plain(fast, query, keys)
    for row, sentence in enumerate(OWNER):
        own = slice(start[sentence], start[sentence] + LENGTHS[sentence])
        found = scores.reshape(len(OWNER), heads, -1)[row, :, : LENGTHS[sentence]]
        np.testing.assert_allclose(found, expected[row, :, own], rtol=1e-5, atol=1e-5)
