import pytest

from longspan.training.errors import DataError
from longspan.training.sample.generator import SampleCorpus, SampleSettings
from longspan.training.tokenizer.settings import VocabularySettings
from longspan.training.tokenizer.tokenizer import UNK
from longspan.training.tokenizer.vocabulary_training import train_tokenizer

ENGLISH = "play plays player players played playing playful\nwork works worked working\n" * 30
JAPANESE = "猫が犬を見る。\n犬が家に走る。\n" * 30


@pytest.fixture
def samples(tmp_path):
    paths = tmp_path / "sample.source", tmp_path / "sample.target"
    paths[0].write_text(ENGLISH, encoding="utf-8")
    paths[1].write_text(JAPANESE, encoding="utf-8")
    return paths


@pytest.mark.parametrize("kind", ["unigram", "bpe", "ngram"])
@pytest.mark.parametrize("joint", [False, True])
def test_a_small_corpus_gives_a_smaller_vocabulary(samples, tmp_path, kind, joint):
    settings = VocabularySettings(type=kind, size=8000, joint=joint)
    tokenizer = train_tokenizer(samples, (" ", ""), settings, tmp_path)
    again = train_tokenizer(samples, (" ", ""), settings, tmp_path)
    assert again.fingerprint == tokenizer.fingerprint
    assert 260 < len(tokenizer.source) < 8000
    assert (tokenizer.source.content == tokenizer.target.content) is joint
    assert tokenizer.source.settings == {"prefix_space": True}
    assert tokenizer.target.settings == {"prefix_space": False}
    assert len(tokenizer.encode_source("player working")) < len(
        tokenizer.encode_source("yalper gnikrow")
    )


def test_ngrams_span_words_and_nothing_else_does(samples, tmp_path):
    lines = [row.english for row in SampleCorpus(SampleSettings(pairs=1000, validation=8)).train()]
    samples[0].write_text("\n".join(lines) + "\n", encoding="utf-8")
    spans = {}
    for kind in ("unigram", "bpe", "ngram"):
        tokenizer = train_tokenizer(
            samples, (" ", ""), VocabularySettings(type=kind, size=1000), tmp_path
        )
        pieces = tokenizer.source.pieces(range(260, len(tokenizer.source)))
        spans[kind] = sum("\u2581" in piece[1:] for piece in pieces)
        ids = tokenizer.source.encode(lines[0])
        assert tokenizer.source.decode(ids) == lines[0]
    assert spans["ngram"] > 50
    assert spans["unigram"] == spans["bpe"] == 0


@pytest.mark.parametrize("kind", ["unigram", "bpe", "ngram"])
@pytest.mark.parametrize("size", [300, 400, 1000])
def test_more_characters_than_tokens_are_spelt_in_bytes(samples, tmp_path, kind, size):
    characters = "".join(chr(0x4E00 + i) for i in range(2000))
    samples[1].write_text("\n".join(characters) + "\n" + JAPANESE, encoding="utf-8")
    tokenizer = train_tokenizer(
        samples, ("", ""), VocabularySettings(type=kind, size=size), tmp_path
    )
    assert len(tokenizer.target) <= size
    assert tokenizer.target.decode(tokenizer.target.encode(characters)) == characters


def test_words_by_frequency(samples, tmp_path):
    settings = VocabularySettings(type="word", size=7)
    tokenizer = train_tokenizer(samples, (" ", " "), settings, tmp_path)
    assert tokenizer.source.pieces(range(4, 7)) == ["play", "played", "player"]
    assert tokenizer.source.encode("play home") == [4, UNK]


@pytest.mark.parametrize(
    "wrong", [{"type": "char"}, {"size": 299}, {"size": 10**7}, {"type": "word", "size": 4}]
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(DataError, match=r"^(type: |size: )?expected "):
        VocabularySettings(**wrong)
