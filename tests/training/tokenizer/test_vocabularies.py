import pickle
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from longspan.training.errors import ModelDirectoryError
from longspan.training.tokenizer.tokenizer import (
    BOS,
    EOS,
    PAD,
    UNK,
    SentencePieceVocabulary,
    WordVocabulary,
)
from longspan.training.tokenizer.vocabularies import SPECIAL_WORDS
from longspan.training.tokenizer.vocabulary_training import train_sentencepiece

TEXTS = [
    "The cat sees 3 dogs .",
    "a dog and a cat",
    "</s> <unk> <pad> <0x41>",
    "犬が猫を見る。",
    "彼は2026年に来た。",
    "x▁y ▁",
]
ANY_TEXT = st.one_of(
    st.text(),
    st.text(alphabet=" ▁ab<>/s0x41猫\u2047\0"),
    st.lists(st.sampled_from(["</s>", "<s>", "<unk>", "<pad>", "<0x41>", "▁", " ", "a"])).map(
        "".join
    ),
)


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def model(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample"
    path.write_text("".join(f"{text}\n" for text in TEXTS * 20), encoding="utf-8")
    return path, request.param, train_sentencepiece([path], [True], request.param, 300)


@pytest.mark.parametrize("prefix_space", [False, True])
@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT)
@example("")
@example(" ")
@example("  two  spaces  ")
@example("▁")
@example("</s><unk><s><pad><0x41>")
@example("\u2047 日本 😀 \x00\r\n\t")
def test_decoding_gives_every_text_back(model, prefix_space, text):
    vocabulary = SentencePieceVocabulary(model[2], prefix_space=prefix_space)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert not {PAD, UNK, BOS, EOS} & set(ids)
    assert vocabulary.decode([BOS, *ids, EOS, PAD]) == text


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(ANY_TEXT, max_size=5))
def test_a_batch_is_encoded_as_one_by_one(model, texts):
    vocabulary = SentencePieceVocabulary(model[2], prefix_space=True)
    assert vocabulary.encode_batch(texts, threads=2) == [vocabulary.encode(t) for t in texts]


def test_token_ids_in_a_row_read_as_the_texts_joined(model):
    spaced = SentencePieceVocabulary(model[2], prefix_space=True)
    assert spaced.decode(spaced.encode("a cat") + spaced.encode("a dog")) == "a cat a dog"
    assert spaced.encode("a cat a dog") == spaced.encode("a cat") + spaced.encode("a dog")
    solid = SentencePieceVocabulary(model[2], prefix_space=False)
    assert solid.decode(solid.encode("犬が。") + solid.encode("猫が。")) == "犬が。猫が。"


def test_a_lone_surrogate_reads_as_a_replacement_character(model):
    vocabulary = SentencePieceVocabulary(model[2])
    assert vocabulary.decode(vocabulary.encode("a\ud800b")) == "a\ufffdb"


def test_bytes_that_are_no_text_are_left_out(model):
    vocabulary = SentencePieceVocabulary(model[2])
    half = vocabulary.encode("\U0001f600")[:2]
    assert vocabulary.decode(half) == ""
    assert vocabulary.decode([*vocabulary.encode("a"), *half, *vocabulary.encode("b")]) == "ab"


@given(text=ANY_TEXT, seed=st.integers(0, 99))
def test_no_sequence_of_tokens_reads_as_what_the_text_does_not_hold(model, text, seed):
    """Of any text's tokens, cut and put in another order."""
    vocabulary = SentencePieceVocabulary(model[2])
    ids = vocabulary.encode(text.replace("\ufffd", ""))
    random.Random(seed).shuffle(ids)
    for stop in range(len(ids) + 1):
        assert "\ufffd" not in vocabulary.decode(ids[:stop])


def test_every_byte_has_a_token(model):
    vocabulary = SentencePieceVocabulary(model[2])
    assert sorted(vocabulary.byte_tokens.values()) == list(range(256))
    assert all(
        vocabulary.pieces([token]) == [f"<0x{value:02X}>"]
        for token, value in vocabulary.byte_tokens.items()
    )


def test_training_gives_the_same_bytes_again(model):
    path, kind, content = model
    assert train_sentencepiece([path], [True], kind, 300) == content


def test_copies_to_another_process_encode_alike(model):
    vocabulary = SentencePieceVocabulary(model[2], prefix_space=True)
    copy = pickle.loads(pickle.dumps(vocabulary))
    assert copy.encode("a cat") == vocabulary.encode("a cat")
    assert copy.settings == {"prefix_space": True}


def test_words_that_are_unknown_are_counted_as_such():
    words = WordVocabulary({"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3, "cat": 4, "dog": 5})
    assert words.encode("dog  cat bird </s> <s>") == [5, 4, UNK, UNK, UNK]
    assert words.decode([BOS, 5, 4, EOS, PAD]) == "dog cat"
    assert len(words) == 6


@pytest.mark.parametrize("table", [{"a": 0, "b": 0}, {"a": 1, "b": 2}])
def test_a_word_list_with_missing_ids_is_refused(table):
    with pytest.raises(ModelDirectoryError, match="ids 0 to 1"):
        WordVocabulary(table)


def test_what_is_no_model_is_refused():
    with pytest.raises(ModelDirectoryError, match="SentencePiece model"):
        SentencePieceVocabulary(b"no model")


@pytest.mark.parametrize("prefix_space", [False, True])
@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT)
@example("  two  spaces  ")
@example("\u2047 日本 😀 \x00\r\n\t▁")
def test_the_offsets_of_tokens_cover_a_text_in_order(model, prefix_space, text):
    vocabulary = SentencePieceVocabulary(model[2], prefix_space=prefix_space)
    ids = vocabulary.encode(text)
    offsets = vocabulary.offsets(text, ids)
    assert len(offsets) == len(ids)
    assert offsets == sorted(offsets)
    covered = {place for start, stop in offsets for place in range(start, stop)}
    assert covered == set(range(len(text)))
    for token, (start, stop) in zip(ids, offsets, strict=True):
        if token not in vocabulary.byte_tokens:
            # `decode` drops the space before the first token, where the text has none.
            assert text[start:stop].removeprefix(" ") == vocabulary.decode([token]).removeprefix(
                " "
            )
        else:
            assert stop - start == 1 or (start, stop) == (0, 0)


def test_the_offsets_of_words_are_theirs_between_any_white_space():
    words = WordVocabulary([*SPECIAL_WORDS, "a", "bb"])
    text = "  a\tbb  zz "
    offsets = words.offsets(text, words.encode(text))
    assert [text[start:stop] for start, stop in offsets] == ["a", "bb", "zz"]
