import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.errors import DataError
from longspan.training.pairs.pairs import Pair
from longspan.training.preparation.settings import SplitSettings
from longspan.training.preparation.splits import (
    DUPLICATE_PAIR,
    SHARES_HELD_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    HeldOut,
    assign_splits,
    mix_hashes,
)
from longspan.training.preparation.spool import Spool


def spooled(folder, pairs, name="spool"):
    folder.mkdir(exist_ok=True)
    with Spool(folder, name) as spool:
        for pair in pairs:
            spool.add(pair)
    return spool


def assignments_of(folder, pairs, settings, given=(), draw=(TEST, VALIDATION)):
    return assign_splits(spooled(folder, pairs), folder, settings, given, draw)


def corpus(pairs=400, documents=40, sides=300, seed=0):
    random = np.random.default_rng(seed)
    return [
        Pair(
            f"source {random.integers(sides)}",
            f"target {random.integers(sides)}",
            f"doc {random.integers(documents)}" if documents else None,
        )
        for _ in range(pairs)
    ]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000), documents=st.sampled_from([0, 30, 60]), sides=st.integers(200, 3000)
)
def test_splits_share_neither_side_nor_document(tmp_path_factory, seed, documents, sides):
    folder = tmp_path_factory.mktemp("spool")
    pairs = corpus(400, documents, sides, seed)
    assigned = assignments_of(
        folder,
        pairs,
        SplitSettings(validation_size=20, test_size=20, split_by="document", seed=seed),
    )
    kept = {
        assignment: [p for p, f in zip(pairs, assigned, strict=True) if f == assignment]
        for assignment in range(3)
    }
    assert all(kept.values())
    assert len(kept[TEST]) <= 20 or documents
    for one, other in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        for name in ("source", "target", "document"):
            shared = {getattr(p, name) for p in kept[one]} & {getattr(p, name) for p in kept[other]}
            assert shared <= {None}
    unique = [(p.source, p.target) for split in kept.values() for p in split]
    assert len(unique) == len(set(unique))


def test_only_the_first_of_equal_pairs_stays(tmp_path):
    pairs = [Pair("a", "x"), Pair("a", "y"), Pair("a", "x"), Pair("x", "a"), Pair("a", "x")]
    assigned = assignments_of(tmp_path, pairs, SplitSettings(), draw=())
    assert assigned.tolist() == [TRAIN, TRAIN, DUPLICATE_PAIR, TRAIN, DUPLICATE_PAIR]


def test_the_same_documents_are_drawn_whatever_the_order(tmp_path):
    pairs = [Pair(f"s{i}", f"t{i}", f"doc {i // 5}") for i in range(500)]
    settings = SplitSettings(validation_size=20, test_size=20)
    assigned = assignments_of(tmp_path, pairs, settings)
    order = np.random.default_rng(1).permutation(500)
    shuffled = assignments_of(tmp_path / "other", [pairs[i] for i in order], settings)
    assert shuffled.tolist() == assigned[order].tolist()
    assert np.bincount(assigned).tolist() == [460, 20, 20]
    other_seed = assignments_of(
        tmp_path, pairs, SplitSettings(validation_size=20, test_size=20, seed=2)
    )
    assert other_seed.tolist() != assigned.tolist()


def test_sizes_default_to_one_percent(tmp_path):
    pairs = [Pair(f"s{i}", f"t{i}") for i in range(1000)]
    assert np.bincount(assignments_of(tmp_path, pairs, SplitSettings())).tolist() == [980, 10, 10]


def test_a_size_of_zero_draws_nothing(tmp_path):
    pairs = [Pair(f"s{i}", f"t{i}") for i in range(50)]
    assert np.bincount(
        assignments_of(tmp_path, pairs, SplitSettings(validation_size=5, test_size=0))
    ).tolist() == [45, 5]


def test_pairs_that_share_with_a_given_split_leave_training(tmp_path):
    given_pairs = [Pair("held", "取", "doc 9")]
    spool = spooled(tmp_path, given_pairs, "given")
    pairs = [
        Pair("held", "x"),
        Pair("a", "取"),
        Pair("b", "y", "doc 9"),
        Pair("取", "held"),
        Pair("c", "z", "doc 8"),
    ]
    settings = SplitSettings()
    held_out = HeldOut.of(spool, settings, np.zeros(1, dtype=np.uint8), TRAIN)
    assigned = assignments_of(tmp_path, pairs, settings, [held_out], ())
    assert assigned.tolist() == [SHARES_HELD_OUT] * 3 + [TRAIN] * 2


def test_by_pair_the_documents_do_not_count(tmp_path):
    pairs = [Pair(f"s{i}", f"t{i}", "the only one") for i in range(100)]
    with pytest.raises(DataError, match="1 document"):
        assignments_of(tmp_path, pairs, SplitSettings(validation_size=5, test_size=5))
    assigned = assignments_of(
        tmp_path, pairs, SplitSettings(validation_size=5, test_size=5, split_by="pair")
    )
    assert np.bincount(assigned).tolist() == [90, 5, 5]


def test_documents_that_are_larger_than_asked_give_the_smallest(tmp_path):
    pairs = [Pair(f"s{i}", f"t{i}", f"doc {min(i // 30, 3)}") for i in range(200)]
    counts = np.bincount(
        assignments_of(tmp_path, pairs, SplitSettings(validation_size=5, test_size=5))
    )
    assert counts.tolist() == [140, 30, 30]


def test_many_partitions_find_the_same_duplicates(tmp_path, monkeypatch):
    monkeypatch.setattr("longspan.training.preparation.splits._PAIRS_PER_PARTITION", 7)
    pairs = [Pair(f"s{i % 50}", "t") for i in range(150)]
    assigned = assignments_of(tmp_path, pairs, SplitSettings(), draw=())
    assert assigned.tolist() == [TRAIN] * 50 + [DUPLICATE_PAIR] * 100


def test_mixing_loses_no_number():
    values = np.arange(10_000, dtype=np.uint64)
    assert len(np.unique(mix_hashes(values, 3))) == 10_000
    assert (mix_hashes(values, 3) != mix_hashes(values, 4)).all()
