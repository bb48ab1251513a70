import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.corpus.batch_order import batch_starts, order_examples
from longspan.training.hyperparameters import Hyperparameters


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), max_size=40),
    st.integers(1, 1000),
)
def test_any_lengths_are_permuted(lengths, width):
    source, target = np.array(lengths, dtype=np.int32).reshape(-1, 2).T
    h = Hyperparameters(bucket_width=width)
    order = order_examples(source, target, h, np.random.default_rng(0))
    assert sorted(order.tolist()) == list(range(len(lengths)))


def test_target_lengths_rise_by_buckets_no_wider_than_asked():
    draw = np.random.default_rng(1)
    target = draw.integers(1, 300, 5000).astype(np.int32)
    source = draw.integers(1, 300, 5000).astype(np.int32)
    order = order_examples(source, target, Hyperparameters(bucket_width=10), draw)
    ordered = target[order]
    assert (np.maximum.accumulate(ordered) - ordered).max() < 10
    short = ordered[: (target < 20).sum()]
    assert (np.diff(short) >= 0).all()


def test_sources_snake_inside_buckets():
    draw = np.random.default_rng(1)
    target = np.repeat([5, 6, 7, 8], 500).astype(np.int32)
    source = draw.integers(1, 100, 2000).astype(np.int32)
    ordered = source[order_examples(source, target, Hyperparameters(), draw)].astype(int)
    assert np.abs(np.diff(ordered)).max() <= 30


def test_an_example_over_budget_is_alone():
    lengths = np.array([3, 3, 50, 2, 2])
    starts = batch_starts(lengths, lengths, Hyperparameters(batch_tokens=8))
    assert starts.tolist() == [0, 2, 3]


def test_long_sources_end_a_batch_as_well():
    starts = batch_starts(
        np.array([4, 20, 20]), np.array([2, 2, 2]), Hyperparameters(batch_tokens=20)
    )
    assert starts.tolist() == [0, 2]
