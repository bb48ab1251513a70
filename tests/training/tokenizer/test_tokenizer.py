import json

import pytest

from longspan.training.errors import ModelDirectoryError
from longspan.training.tokenizer.tokenizer import (
    EOS,
    SentencePieceVocabulary,
    Tokenizer,
    WordVocabulary,
)
from longspan.training.tokenizer.vocabulary_training import train_sentencepiece
from tests.damage import altered


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample"
    path.write_text("a cat sees a dog\n犬が猫を見る。\n" * 30, encoding="utf-8")
    model = train_sentencepiece([path, path], [True, False], "unigram", 300)
    source = SentencePieceVocabulary(model, prefix_space=True)
    return Tokenizer(source, SentencePieceVocabulary(model, prefix_space=False), joint=True)


def test_saving_and_loading_keeps_every_id(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    loaded = Tokenizer.load(tmp_path)
    assert loaded.fingerprint == tokenizer.fingerprint
    assert loaded.joint
    assert loaded.encode_source("a cat") == tokenizer.encode_source("a cat")
    assert loaded.encode_source("a cat")[-1] == EOS
    assert loaded.decode_target(loaded.encode_target(" 犬が ")) == " 犬が "
    assert {path.name for path in tmp_path.iterdir()} == {"source.model", "tokenizer.json"}


def test_words_are_saved_as_the_built_in_algorithm_has_them(tmp_path):
    words = ["<pad>", "<unk>", "<s>", "</s>", "cat", "猫"]
    Tokenizer(WordVocabulary(words), WordVocabulary(words[:5])).save(tmp_path)
    assert json.loads((tmp_path / "vocab.src.json").read_text("utf-8"))["猫"] == 5
    assert Tokenizer.load(tmp_path).encode_source("猫 cat dog") == [5, 4, 1, EOS]


def test_the_fingerprint_tells_tokenizers_apart(tokenizer):
    other = Tokenizer(tokenizer.target, tokenizer.source, joint=True)
    assert other.fingerprint != tokenizer.fingerprint


def test_a_missing_file_is_named(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    (tmp_path / "source.model").unlink()
    with pytest.raises(ModelDirectoryError, match=r"source\.model"):
        Tokenizer.load(tmp_path)


def test_a_changed_file_is_named(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    path = tmp_path / "source.model"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        ModelDirectoryError, match=r"source\.model: expected the vocabulary whose hash"
    ):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', "\udcff"])
def test_a_broken_description_is_refused(tmp_path, content):
    (tmp_path / "tokenizer.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelDirectoryError, match=r"tokenizer\.json"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize(
    ("way", "value", "said"),
    [
        (("joint",), 1, "joint: expected true | false, got 1"),
        (("source", "file"), ..., "source.file: is missing"),
        (("target", "sha256"), None, "target.sha256: expected a text, got null"),
        (("target", "settings"), [], "target.settings: expected an object, got a list"),
    ],
)
def test_a_description_changed_by_hand_is_refused(tokenizer, tmp_path, way, value, said):
    tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(altered(json.loads(path.read_text()), way, value)))
    with pytest.raises(ModelDirectoryError) as caught:
        Tokenizer.load(tmp_path)
    assert f"expected a tokenizer's description: {said}; copy" in str(caught.value)


def test_another_version_is_refused(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
    with pytest.raises(ModelDirectoryError, match="format 1, got 9"):
        Tokenizer.load(tmp_path)
