from itertools import islice

import numpy as np
import pytest
import torch

from longspan.training.corpus.batches import collate, plan_epoch
from longspan.training.corpus.shards import MemoryCorpus
from longspan.training.corpus.subword_dropout import SubwordDropout
from longspan.training.errors import DataError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.distributed import World
from longspan.training.loop.feed import feed

H = Hyperparameters(batch_size=3)
CORPUS = MemoryCorpus([[5 + i, 3] for i in range(10)], [[5 + i, 3] for i in range(10)])


def test_epochs_follow_each_other_in_the_order_of_their_plans():
    items = list(islice(feed(CORPUS, H, World()), 9))
    examples = [*plan_epoch(CORPUS, H, 0), *plan_epoch(CORPUS, H, 1), *plan_epoch(CORPUS, H, 2)]
    for item, example in zip(items, examples, strict=False):
        assert torch.equal(item.batch.source, collate(CORPUS, example).source)
        assert item.tokens == item.batch.tokens
    places = [(item.next_epoch, item.next_batch) for item in items]
    assert places[:5] == [(0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]


def test_it_starts_in_the_middle():
    whole = list(islice(feed(CORPUS, H, World()), 12))
    part = list(islice(feed(CORPUS, H, World(), epoch=1, batch=2), 6))
    for one, other in zip(whole[6:], part, strict=True):
        assert torch.equal(one.batch.source, other.batch.source)
        assert (one.next_epoch, one.next_batch) == (other.next_epoch, other.next_batch)


def test_a_rank_without_a_share_gets_none_and_the_whole_count():
    h = Hyperparameters(batch_size=1)
    first, second = (next(feed(CORPUS, h, World(rank, 2))) for rank in range(2))
    assert second.batch is None
    assert second.tokens == first.tokens == first.batch.tokens


def test_subword_dropout_splits_the_same_tokens_in_a_resumed_run():
    halves = np.full((20, 2), -1)
    halves[10:] = np.arange(20).reshape(10, 2) % 10
    dropout = SubwordDropout(halves, halves, 0.5)
    whole = list(islice(feed(CORPUS, H, World(), dropout=dropout), 12))
    part = list(islice(feed(CORPUS, H, World(), epoch=1, batch=2, dropout=dropout), 6))
    for one, other in zip(whole[6:], part, strict=True):
        assert torch.equal(one.batch.source, other.batch.source)
        assert torch.equal(one.batch.target_output, other.batch.target_output)
    plain = list(islice(feed(CORPUS, H, World()), 12))
    assert any(s.batch.tokens > p.batch.tokens for s, p in zip(whole, plain, strict=True))
    assert all(s.tokens == p.tokens for s, p in zip(whole, plain, strict=True))


def test_nothing_to_feed():
    with pytest.raises(DataError, match="expected pairs, got none"):
        next(feed(MemoryCorpus([], []), H, World()))
    with pytest.raises(DataError, match="got 10 that are longer"):
        next(feed(CORPUS, H.replace(max_seq_len_target=1), World()))
