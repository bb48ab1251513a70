import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.corpus.batches import collate, pad, plan_epoch
from longspan.training.corpus.shards import MemoryCorpus
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.tokenizer.tokenizer import BOS, EOS, PAD


def corpus_of(lengths, documents=None):
    """Pair i holds the tokens 10 + i, of the given (source, target) lengths with EOS."""
    return MemoryCorpus(
        [[10 + i] * (s - 1) + [EOS] for i, (s, _) in enumerate(lengths)],
        [[10 + i] * (t - 1) + [EOS] for i, (_, t) in enumerate(lengths)],
        documents,
    )


def random_corpus(count, seed=0):
    draw = np.random.default_rng(seed)
    source = np.minimum(draw.lognormal(2.5, 0.7, count), 300).astype(int) + 1
    target = np.maximum(1, (source * draw.uniform(0.7, 1.4, count)).astype(int))
    return corpus_of(list(zip(source, target, strict=True)))


PAIRS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=60)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.integers(1, 200), st.booleans(), st.integers(1, 3))
def test_every_pair_that_fits_is_in_one_batch_within_budget(lengths, budget, buckets, world):
    corpus = corpus_of(lengths)
    h = Hyperparameters(
        batch_tokens=budget,
        bucketing_enabled=buckets,
        max_seq_len_source=50,
        max_seq_len_target=40,
    )
    ranks = [plan_epoch(corpus, h, 3, rank, world) for rank in range(world)]
    assert len({len(r) for r in ranks}) == 1
    fitting = [i for i, (s, t) in enumerate(lengths) if s <= 50 and t <= 40]
    batches = [list(itertools.chain(*parts)) for parts in zip(*ranks, strict=True)]
    assert sorted(i for batch in batches for (i,) in batch) == fitting
    assert all(r.left_out == len(lengths) - len(fitting) for r in ranks)
    for index, batch in enumerate(batches):
        members = [i for (i,) in batch]
        assert ranks[0].tokens[index] == corpus.target_lengths[members].sum()
        if len(members) > 1:
            assert len(members) * corpus.target_lengths[members].max() <= budget
            assert len(members) * corpus.source_lengths[members].max() <= 2 * budget


def test_the_plan_is_the_same_for_a_seed_and_new_for_each_epoch():
    corpus, h = random_corpus(300), Hyperparameters(batch_tokens=100, length_augmentation=0.3)
    assert list(plan_epoch(corpus, h, 1)) == list(plan_epoch(corpus, h, 1))
    assert list(plan_epoch(corpus, h, 1)) != list(plan_epoch(corpus, h, 2))
    assert list(plan_epoch(corpus, h, 1)) != list(plan_epoch(corpus, h.replace(seed=2), 1))


def test_padding_is_small_and_batches_are_mixed():
    corpus = random_corpus(20_000)
    planned = plan_epoch(corpus, Hyperparameters(batch_tokens=1000), 0)
    assert planned.tokens.sum() / planned.padded_tokens > 0.93
    sources = [corpus.source_lengths[[i for (i,) in batch]] for batch in planned]
    assert sum(s.sum() for s in sources) / sum(s.max() * len(s) for s in sources) > 0.75
    mean_lengths = np.array([s.mean() for s in sources])
    assert abs(np.corrcoef(mean_lengths[1:], mean_lengths[:-1])[0, 1]) < 0.15


def test_companions_change_between_epochs():
    corpus, h = random_corpus(5_000), Hyperparameters(batch_tokens=200)

    def companions(epoch):
        batches = ([i for (i,) in batch] for batch in plan_epoch(corpus, h, epoch))
        return {pair for batch in batches for pair in itertools.combinations(sorted(batch), 2)}

    first, second = companions(0), companions(1)
    assert len(first & second) < 0.5 * len(first)


def test_batch_size_counts_examples():
    planned = plan_epoch(random_corpus(50), Hyperparameters(batch_size=8), 0)
    assert sorted(map(len, planned)) == [2, 8, 8, 8, 8, 8, 8]


def test_augmentation_adds_its_share_and_keeps_the_originals():
    corpus, h = random_corpus(900), Hyperparameters(length_augmentation=0.25)
    planned = plan_epoch(corpus, h, 0)
    examples = [example for batch in planned for example in batch]
    joined = [example for example in examples if len(example) > 1]
    assert len(joined) == planned.joined == 300
    assert sorted(e for e in examples if len(e) == 1) == [(i,) for i in range(900)]
    assert all(corpus.source_lengths[list(e)].sum() - len(e) + 1 <= 200 for e in joined)


def test_the_curriculum_begins_with_none_and_ends_with_all():
    corpus = random_corpus(900)
    h = Hyperparameters(length_augmentation=0.25, length_curriculum=4)
    plans = [plan_epoch(corpus, h, epoch) for epoch in range(6)]
    assert [p.joined for p in plans[:1]] == [0]
    assert [p.joined for p in plans[4:]] == [300, 300]
    assert all(a.joined < b.joined for a, b in itertools.pairwise(plans[:5]))
    for epoch, planned in enumerate(plans):
        joined = [e for batch in planned for e in batch if len(e) > 1]
        longest = max(
            (int(corpus.source_lengths[list(e)].sum()) - len(e) + 1 for e in joined), default=0
        )
        assert longest <= min(200, 50 * epoch)
    assert "until length_curriculum=4 epochs" in plans[0].summary(h)


def test_ranks_share_joined_batches_too():
    corpus, h = random_corpus(200), Hyperparameters(length_augmentation=0.5, batch_tokens=300)
    whole = plan_epoch(corpus, h, 0)
    halves = [plan_epoch(corpus, h, 0, rank, 2) for rank in range(2)]
    for index, batch in enumerate(whole):
        assert batch[0::2] == halves[0][index]
        assert batch[1::2] == halves[1][index]


def test_left_out_pairs_are_named_in_the_summary():
    h = Hyperparameters(max_seq_len_source=5)
    summary = plan_epoch(corpus_of([(3, 3), (9, 3), (4, 8)]), h, 0).summary(h)
    assert "1 pairs left out" in summary
    assert "max_seq_len_source=5" in summary
    assert "left out" not in plan_epoch(corpus_of([(3, 3)]), h, 0).summary(h)


def test_a_share_that_cannot_be_joined_is_said():
    h = Hyperparameters(length_augmentation=0.5, length_augmentation_max=6)
    assert "2 of them joined," in plan_epoch(corpus_of([(3, 3), (4, 4)]), h, 0).summary(h)
    assert "0 of them joined (of 2 asked" in plan_epoch(corpus_of([(4, 4), (5, 5)]), h, 0).summary(
        h
    )


def test_nothing_to_plan():
    assert len(plan_epoch(corpus_of([]), Hyperparameters(), 0)) == 0
    assert len(plan_epoch(corpus_of([(9, 9)]), Hyperparameters(max_seq_len_source=5), 0)) == 0


def test_collate_pads_and_shifts():
    batch = collate(corpus_of([(3, 2), (2, 4)]), [(0,), (1,)])
    assert batch.source.tolist() == [[10, 10, EOS], [11, EOS, PAD]]
    assert batch.source_lengths.tolist() == [3, 2]
    assert batch.target_output.tolist() == [[10, EOS, PAD, PAD], [11, 11, 11, EOS]]
    assert batch.target_input.tolist() == [[BOS, 10, PAD, PAD], [BOS, 11, 11, 11]]
    assert batch.target_lengths.tolist() == [2, 4]
    assert batch.tokens == 6
    assert {t.dtype for t in (batch.source, batch.target_input)} == {torch.int64}


def test_collate_joins_and_keeps_only_the_last_eos():
    batch = collate(corpus_of([(3, 2), (2, 4), (1, 1)]), [(0, 1), (1, 2)])
    assert batch.source.tolist() == [[10, 10, 11, EOS], [11, EOS, PAD, PAD]]
    assert batch.target_output.tolist() == [[10, 11, 11, 11, EOS], [11, 11, 11, EOS, PAD]]


def test_moving_a_batch_keeps_it():
    batch = collate(corpus_of([(3, 2)]), [(0,)])
    moved = batch.to("cpu")
    assert torch.equal(moved.target_input, batch.target_input)


@pytest.mark.parametrize("rows", [[], [[]], [[], [4]], [[1, 2], [3]]])
def test_pad_keeps_every_row(rows):
    padded, lengths = pad(rows)
    assert [row[:n].tolist() for row, n in zip(padded, lengths, strict=True)] == rows
