import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.corpus.augmentation import (
    JoinablePairs,
    JoinLimits,
    draw_lengths,
    join_examples,
    successors,
)

ALONE = -np.ones(1000, dtype=np.int64)


def joined(
    lengths, following=None, count=200, seed=0, max_source=50, max_target=60, kind="uniform"
):
    source = np.array(lengths, dtype=np.int32)
    target = source + 1
    after = ALONE[: len(source)] if following is None else np.array(following)
    found = join_examples(
        JoinablePairs(np.arange(len(source)), source, target, after),
        count,
        JoinLimits(max_source, max_target, kind),
        np.random.default_rng(seed),
    )
    parts = [found.members[a:b] for a, b in zip(found.bounds, found.bounds[1:], strict=False)]
    return found, parts, source, target


def test_successors_follow_positions_inside_a_document():
    documents = np.array([7, 7, -1, 7, 8, -1, 8])
    positions = np.array([2, 0, 0, 5, 1, 1, 0])
    assert successors(documents, positions).tolist() == [3, 0, -1, -1, -1, -1, 4]


def test_successors_without_positions_follow_the_corpus():
    documents = np.array([1, 1, 2, 2])
    assert successors(documents, np.full(4, -1)).tolist() == [1, -1, 3, -1]


def test_successors_of_nothing():
    assert len(successors(np.zeros(0, dtype=int), np.zeros(0, dtype=int))) == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(0, 100))
def test_lengths_are_those_of_the_joined_tokens_and_within_limits(lengths, seed):
    found, parts, source, target = joined(lengths, seed=seed, count=40)
    for part, s, t in zip(parts, found.source_lengths, found.target_lengths, strict=True):
        assert len(part) >= 2
        assert s == source[part].sum() - (len(part) - 1) <= 50
        assert t == target[part].sum() - (len(part) - 1) <= 60


def test_as_many_as_asked_for_where_pairs_fit_together():
    assert len(joined([3, 4, 5])[0]) == 200


def test_none_where_no_two_pairs_fit():
    assert len(joined([40, 45])[0]) == 0


def test_source_lengths_are_spread_evenly_up_to_the_limit():
    found, *_ = joined([2, 3], count=20_000, max_source=101, max_target=200)
    counts, _ = np.histogram(found.source_lengths, bins=[3, 26, 51, 76, 102])
    assert counts.min() > 0.22 * counts.sum()


def test_lengths_can_be_spread_by_tokens():
    found, *_ = joined([2, 3], count=50_000, max_source=256, max_target=400, kind="log_uniform")
    # As many tokens between any two lengths as between two others as far apart.
    tokens, _ = np.histogram(
        found.source_lengths, bins=[6, 68, 131, 194, 257], weights=found.source_lengths
    )
    assert tokens.min() > 0.22 * tokens.sum()


def test_lengths_can_be_all_the_longest():
    found, *_ = joined([2, 3], max_source=100, max_target=400, kind="longest")
    assert found.source_lengths.min() >= 99


@given(
    st.sampled_from(["uniform", "log_uniform", "longest"]),
    st.integers(2, 500),
    st.integers(0, 50),
)
def test_lengths_are_drawn_within_their_limits(kind, longest, seed):
    drawn = draw_lengths(kind, 100, longest, np.random.default_rng(seed))
    assert drawn.shape == (100,)
    assert 2 <= drawn.min() <= drawn.max() <= longest


def test_documents_are_followed_until_they_end():
    following = [1, 2, 3, 4, -1, 6, 7, 8, 9, -1]
    _, parts, *_ = joined([4] * 10, following=following)
    for part in parts:
        for one, other in itertools.pairwise(part):
            assert following[one] in (other, -1)


@pytest.mark.parametrize("other", [0, 1])
def test_the_same_for_a_seed_only(other):
    _, one, *_ = joined([3, 4, 5, 9], seed=0)
    _, two, *_ = joined([3, 4, 5, 9], seed=other)
    same = [a.tolist() for a in one] == [b.tolist() for b in two]
    assert same == (other == 0)
