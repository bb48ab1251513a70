import shutil

import pytest

from longspan.training.corpus.shards import ShardWriter
from longspan.training.errors import DataError, ModelDirectoryError
from longspan.training.prepared import Prepared
from longspan.training.tokenizer import Tokenizer, WordVocabulary


@pytest.fixture
def prepared(write_prepared, tmp_path):
    return write_prepared(tmp_path / "prepared")


@pytest.mark.parametrize("gone", ["tokenizer", "train", "validation", "."])
def test_an_incomplete_folder_is_a_clear_error(prepared, gone):
    shutil.rmtree(prepared / gone)
    with pytest.raises((DataError, ModelDirectoryError), match="expected"):
        Prepared.open(prepared)


@pytest.mark.parametrize("name", ["train", "validation"])
def test_an_empty_corpus_is_a_clear_error(prepared, name):
    shutil.rmtree(prepared / name)
    with ShardWriter(prepared / name):
        pass
    with pytest.raises(DataError, match="expected pairs, got none"):
        Prepared.open(prepared)


def test_another_tokenizer_of_the_same_size_is_a_clear_error(prepared):
    words = [f"w{i}" for i in reversed(range(12))]
    other = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", *words])
    shutil.rmtree(prepared / "tokenizer")
    Tokenizer(other, other).save(prepared / "tokenizer")
    with pytest.raises(DataError, match=r"train: expected ids of the tokenizer beside it"):
        Prepared.open(prepared)


@pytest.mark.parametrize("name", ["train", "validation"])
def test_a_corpus_of_another_folder_is_a_clear_error(prepared, name):
    with ShardWriter(prepared / name, tokenizer="another") as writer:
        writer.add([5, 3], [6, 3])
    with pytest.raises(DataError, match=rf"{name}: expected ids of the tokenizer beside it"):
        Prepared.open(prepared)


def test_an_id_that_the_tokenizer_lacks_is_a_clear_error(prepared):
    with ShardWriter(prepared / "train") as writer:  # by another program, without a fingerprint
        writer.add([5, 3], [16, 3])
    with pytest.raises(DataError, match="holds token 16, and the tokenizer knows only 16"):
        Prepared.open(prepared)
