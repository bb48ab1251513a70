import json
from pathlib import Path

import pytest

from longspan.training.corpus import recordio
from longspan.training.corpus.built_in import convert, read_tokenizer
from longspan.training.corpus.shards import Corpus
from longspan.training.errors import DataError
from longspan.training.tokenizer.tokenizer import Tokenizer

SPECIALS = {"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3}
SOURCE = {**SPECIALS, "a": 4, "b": 5, "c": 6}
TARGET = {**SPECIALS, "x": 4, "y": 5}


@pytest.fixture
def channels(tmp_path: Path) -> dict[str, Path]:
    folders = {name: tmp_path / name for name in ("train", "validation", "vocab", "out")}
    for folder in folders.values():
        folder.mkdir()
    recordio.write_records(folders["train"] / "train.rec", [([4, 5, 6], [4]), ([5], [5, 4])])
    recordio.write_records(folders["validation"] / "val.rec", [([6, 1], [5])])
    (folders["vocab"] / "vocab.src.json").write_text(json.dumps(SOURCE))
    (folders["vocab"] / "vocab.trg.json").write_text(json.dumps(TARGET))
    return folders


def pairs_of(directory: Path) -> list[tuple[list[int], list[int]]]:
    corpus = Corpus.open(directory)
    return [(corpus.source(i).tolist(), corpus.target(i).tolist()) for i in range(len(corpus))]


def test_the_channels_become_a_prepared_folder(channels: dict[str, Path]):
    report = convert(**channels)
    assert pairs_of(channels["out"] / "train") == [([4, 5, 6, 3], [4, 3]), ([5, 3], [5, 4, 3])]
    assert pairs_of(channels["out"] / "validation") == [([6, 1, 3], [5, 3])]
    assert (str(report["train"]), str(report["validation"])) == ("2 pairs", "1 pairs")
    tokenizer = Tokenizer.load(channels["out"] / "tokenizer")
    assert tokenizer.encode_source("c a  unheard b") == [6, 4, 1, 5, 3]
    assert tokenizer.decode_target([5, 4, 3]) == "y x"


def test_all_files_of_a_channel_are_read_in_the_order_of_their_names(channels: dict[str, Path]):
    recordio.write_records(channels["train"] / "a.rec", [([6], [5])])
    recordio.write_records(channels["train"] / "z.rec", [([4], [4])])
    convert(**channels)
    sources = [source for source, _ in pairs_of(channels["out"] / "train")]
    assert sources == [[6, 3], [4, 5, 6, 3], [5, 3], [4, 3]]


def test_what_writers_put_around_sentences_comes_off_and_is_counted(channels: dict[str, Path]):
    pairs = [([2, 4, 3], [5, 3, 0, 0]), ([4, 0], [5]), ([0, 0], [5]), ([4], [])]
    recordio.write_records(channels["train"] / "train.rec", pairs)
    report = convert(**channels)["train"]
    assert pairs_of(channels["out"] / "train") == [([4, 3], [5, 3]), ([4, 3], [5, 3])]
    assert report.left_out == {"empty side": 2}
    assert sum(report.trimmed.values()) == 6
    assert "2 left out: empty side" in str(report)


def test_one_vocabulary_for_both_sides_is_seen(channels: dict[str, Path]):
    assert not read_tokenizer(channels["vocab"]).joint
    (channels["vocab"] / "vocab.trg.json").write_text(json.dumps(SOURCE))
    assert read_tokenizer(channels["vocab"]).joint


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (([7], [4]), "expected ids from 0 to 6 as in vocab.src.json, got 7"),
        (([4], [4, -1]), "expected ids from 0 to 5 as in vocab.trg.json, got -1"),
        (([4, 0, 5], [4]), "got id 0 (<pad>) among them"),
        (([4, 3, 5], [4]), "got id 3 (</s>) among them"),
    ],
)
def test_ids_that_cannot_be_are_named_by_file_and_byte(
    channels: dict[str, Path], pair: tuple[list[int], list[int]], reason: str
):
    path = channels["train"] / "train.rec"
    recordio.write_records(path, [([4], [4]), pair])
    second = recordio.write_records(channels["out"] / "one.rec", [([4], [4])]) and (
        (channels["out"] / "one.rec").stat().st_size
    )
    with pytest.raises(DataError) as caught:
        convert(**channels)
    assert str(caught.value).startswith(f"{path}: byte {second}: ")
    assert reason in str(caught.value)


def test_an_empty_channel_is_refused(channels: dict[str, Path]):
    (channels["validation"] / "val.rec").unlink()
    with pytest.raises(DataError, match="channel validation: expected RecordIO-protobuf files"):
        convert(**channels)
    recordio.write_records(channels["validation"] / "val.rec", [([], [4])])
    with pytest.raises(DataError, match="channel validation: expected sentence pairs, got 1"):
        convert(**channels)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "expected JSON"),
        ("[]", "expected a JSON object from word to integer id"),
        ('{"<pad>": "0"}', "expected a JSON object from word to integer id"),
        (json.dumps({"a": 0, "b": 1, "c": 2, "d": 3}), "expected <pad> to have id 0"),
        (json.dumps({**SPECIALS, "</s>": 4, "a": 3}), "expected </s> to have id 3, got 4"),
        (json.dumps({**SPECIALS, "a": 4, "b": 6}), "got none with id 5"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused(
    channels: dict[str, Path], content: str, reason: str
):
    (channels["vocab"] / "vocab.trg.json").write_text(content)
    with pytest.raises(DataError) as caught:
        convert(**channels)
    assert "vocab.trg.json" in str(caught.value)
    assert reason in str(caught.value)


def test_a_missing_vocabulary_names_what_is_there(channels: dict[str, Path]):
    (channels["vocab"] / "vocab.trg.json").rename(channels["vocab"] / "vocab.tgt.json")
    with pytest.raises(DataError, match=r"got vocab\.src\.json, vocab\.tgt\.json"):
        convert(**channels)
