import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.corpus.shards import Corpus, MemoryCorpus, ShardWriter
from longspan.training.errors import DataError

IDS = st.lists(st.integers(0, 65535), max_size=5).map(lambda ids: [*ids, 3])
PAIRS = st.lists(st.tuples(IDS, IDS, st.integers(-1, 2**62), st.integers(-1, 2**62)), max_size=9)


def write(folder, pairs, **settings):
    with ShardWriter(folder, **settings) as writer:
        for pair in pairs:
            writer.add(*pair)
    return Corpus.open(folder)


@settings(max_examples=50, deadline=None)
@given(pairs=PAIRS, size=st.sampled_from([1 << 16, (1 << 16) + 1]), shard=st.integers(1, 4))
def test_a_corpus_holds_what_was_written(tmp_path_factory, pairs, size, shard):
    folder = tmp_path_factory.mktemp("corpus")
    corpus = write(folder, pairs, vocabulary_size=size, pairs_per_shard=shard)
    memory = MemoryCorpus(*([pair[i] for pair in pairs] for i in range(4)))
    assert len(corpus) == len(memory) == len(pairs)
    for name in ("source_lengths", "target_lengths", "documents", "positions"):
        assert np.array_equal(getattr(corpus, name), getattr(memory, name))
    for i, pair in enumerate(pairs):
        assert corpus.source(i).tolist() == memory.source(i).tolist() == pair[0]
        assert corpus.target(i).tolist() == memory.target(i).tolist() == pair[1]
        assert corpus.source(i).dtype == memory.source(i).dtype == np.int64


def test_a_small_vocabulary_takes_two_bytes_a_token(tmp_path):
    write(tmp_path, [([5, 3], [5, 6, 3])], vocabulary_size=8000)
    assert (tmp_path / "source.00000.bin").stat().st_size == 4
    assert (tmp_path / "target.00000.bin").stat().st_size == 6


def test_another_process_opens_the_same_files(tmp_path):
    corpus = write(tmp_path, [([5, 3], [6, 3])])
    data = pickle.dumps(corpus)
    assert len(data) < 1000
    assert pickle.loads(data).target(0).tolist() == [6, 3]


def test_an_index_outside_is_refused(tmp_path):
    with pytest.raises(IndexError, match="pair 1 of 1"):
        write(tmp_path, [([3], [3])]).source(1)


def test_a_cut_off_file_is_named(tmp_path):
    write(tmp_path, [([5, 3], [6, 3])])
    path = tmp_path / "target.00000.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"target\.00000\.bin: expected 8 bytes, got 7"):
        Corpus.open(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    write(tmp_path, [([5, 3], [6, 3])])
    (tmp_path / "documents.bin").unlink()
    with pytest.raises(DataError, match=r"documents\.bin"):
        Corpus.open(tmp_path)


def test_writing_that_failed_leaves_no_corpus(tmp_path):
    with pytest.raises(OverflowError), ShardWriter(tmp_path) as writer:
        writer.add([3], [-1])
    with pytest.raises(DataError, match=r"corpus\.json"):
        Corpus.open(tmp_path)


def test_sides_of_unequal_number_are_refused():
    with pytest.raises(DataError, match="1 and 2"):
        MemoryCorpus([[3], [3]], [[3]])
