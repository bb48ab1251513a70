import json
import shutil

import pytest

from longspan.training.corpus.prepared import Prepared
from longspan.training.corpus.shards import ShardWriter
from longspan.training.errors import DataError, ModelDirectoryError
from longspan.training.tokenizer.tokenizer import Tokenizer, WordVocabulary


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
    with pytest.raises(DataError, match=r"ids below 16, .*, got 16 in pair"):
        Prepared.open(prepared)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "manifest.json",
            b'{"format": 1,',
            r"manifest\.json: expected a manifest: got invalid JSON",
        ),
        (
            "manifest.json",
            b"[]",
            r"manifest\.json: expected a manifest: expected an object, got a list",
        ),
        ("manifest.json", b'{"format": 1}', r"manifest\.json: .*: settings: is missing;"),
        ("manifest.json", b'{"format": 9}', r"manifest\.json: expected format 1, got 9"),
        ("train/corpus.json", b'{"pairs": 3', r"corpus\.json: .*got invalid JSON at line 1 "),
        ("train/corpus.json", b"null", r"corpus\.json: .*: expected an object, got null;"),
        ("train/source.00000.bin", b"\5\0", r"source\.00000\.bin: expected \d+ bytes, got 2"),
        ("train/source.lengths.bin", b"", r"source\.lengths\.bin: expected \d+ bytes, got 0"),
    ],
)
def test_a_damaged_file_is_named(prepared, name, content, reason):
    (prepared / name).write_bytes(content)
    with pytest.raises(DataError, match=reason):
        Prepared.open(prepared)


@pytest.mark.parametrize(
    ("name", "byte"),
    [("lengths", b"\0"), ("lengths", b"\x01"), ("lengths", b"\xff"), ("offsets", b"\xff")],
)
def test_places_that_no_shard_has_are_a_clear_error(prepared, name, byte):
    path = prepared / "train" / f"source.{name}.bin"
    path.write_bytes(byte * path.stat().st_size)
    with pytest.raises(DataError, match=r"train: expected source tokens .* of pair 0"):
        Prepared.open(prepared)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pairs": True}, "pairs: expected an integer of at least 0, got true"),
        ({"pairs_per_shard": 0}, "pairs_per_shard: expected an integer of at least 1, got 0"),
        ({"dtype": "<u8"}, "dtype: expected <u2 | <u4, got '<u8'"),
        ({"tokens": {"source": [-1], "target": [1]}}, "tokens.source[0]: expected at least 0"),
        ({"tokens": {"source": [1]}}, "tokens.target: is missing"),
        ({"tokenizer": 3}, "tokenizer: expected a text or null, got 3"),
    ],
)
def test_a_description_changed_by_hand_is_named(prepared, change, said):
    path = prepared / "train" / "corpus.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError) as caught:
        Prepared.open(prepared)
    assert str(caught.value).startswith(f"{path}: expected a corpus's description: {said}")


@pytest.mark.parametrize(
    "change", [{"pairs_per_shard": 1}, {"tokens": {"source": [], "target": []}}]
)
def test_shards_that_are_not_counted_are_a_clear_error(prepared, change):
    path = prepared / "train" / "corpus.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match=r"tokens\.source: expected \d+ shards, got \d"):
        Prepared.open(prepared)
