"""Decoding returns every text, whatever the vocabulary was trained on."""

import random
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from longspan.training.tokenizer.settings import VocabularySettings
from longspan.training.tokenizer.tokenizer import EOS, UNK, SentencePieceVocabulary
from longspan.training.tokenizer.vocabulary_training import train_sentencepiece, train_tokenizer

MARK = "\u2581"
# First and last code point of a block of each script.
BLOCKS = {
    "LATIN": (0x41, 0x24F), "GREEK": (0x370, 0x3FF), "CYRILLIC": (0x400, 0x4FF),
    "ARMENIAN": (0x531, 0x58A), "HEBREW": (0x591, 0x5F4), "ARABIC": (0x600, 0x6FF),
    "DEVANAGARI": (0x900, 0x97F), "BENGALI": (0x980, 0x9FE), "TAMIL": (0xB80, 0xBFA),
    "THAI": (0xE00, 0xE5B), "LAO": (0xE80, 0xEDF), "TIBETAN": (0xF00, 0xFDA),
    "MYANMAR": (0x1000, 0x109F), "GEORGIAN": (0x10A0, 0x10FF), "ETHIOPIC": (0x1200, 0x1399),
    "CHEROKEE": (0x13A0, 0x13FD), "KHMER": (0x1780, 0x17F9), "MONGOLIAN": (0x1800, 0x18AA),
    "HIRAGANA": (0x3041, 0x309F), "KATAKANA": (0x30A0, 0x30FF), "CJK": (0x4E00, 0x9FFF),
    "HANGUL": (0xAC00, 0xD7A3), "GOTHIC": (0x10330, 0x1034A),
}  # fmt: skip
LETTERS = {
    script: [
        c for c in map(chr, range(first, last + 1)) if unicodedata.name(c, "").find(script) == 0
    ]
    for script, (first, last) in BLOCKS.items()
}
SPACES = [
    " ",
    "  ",
    "\t",
    "\u00a0",
    "\u2009",
    "\u200b",
    "\u3000",
    "\n",
    "\r\n",
    "\0",
    MARK,
    "\u2028",
]
LIKE_TOKENS = ["</s>", "<s>", "<unk>", "<pad>", "<0x20>", "<0xE2>", "\u2047", "\ufeff", "e\u0301"]


def _words(script, draw):
    return ["".join(draw.choices(LETTERS[script][:400], k=draw.randint(1, 6))) for _ in range(8)]


def _lines(separator):
    """Eight lines of each script with `separator` between the words."""
    draw = random.Random(7)
    for script in LETTERS:
        words = _words(script, draw)
        for _ in range(8):
            yield separator.join(draw.choices(words, k=5))


def _rare_spaces():
    lines = list(_lines(""))
    return [*lines * 20, "a b"]


CORPORA = {"spaces": lambda: _lines(" "), "none": lambda: _lines(""), "rare": _rare_spaces}
TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(
        st.one_of(
            *(
                st.text(st.sampled_from(letters), min_size=1, max_size=4)
                for letters in LETTERS.values()
            ),
            st.sampled_from(SPACES),
            st.sampled_from(LIKE_TOKENS),
        ),
        max_size=12,
    ).map("".join),
)


@pytest.fixture(scope="module", params=[300, 700, 2000])
def size(request):
    return request.param


@pytest.fixture(scope="module", params=["unigram", "bpe", "ngram"])
def kind(request):
    return request.param


@pytest.fixture(scope="module", params=CORPORA)
def content(request, kind, size, tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample"
    path.write_text("".join(f"{line}\n" for line in CORPORA[request.param]()), encoding="utf-8")
    return train_sentencepiece([path], [False], kind, size)


def test_there_are_twenty_scripts():
    assert len(LETTERS) >= 20
    assert min(map(len, LETTERS.values())) >= 27


@pytest.mark.parametrize("prefix_space", [False, True])
@given(text=TEXT)
@settings(max_examples=40)
@example(" ")
@example(f" {MARK} {MARK}{MARK}  a{MARK}b ")
@example("新しい Model A を")
def test_decoding_returns_the_text(content, prefix_space, text):
    vocabulary = SentencePieceVocabulary(content, prefix_space=prefix_space)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert min(ids, default=EOS + 1) > EOS


def test_every_character_of_every_script_returns(content):
    vocabulary = SentencePieceVocabulary(content)
    texts = [f"{script.lower()} {' '.join(letters)}" for script, letters in LETTERS.items()]
    assert [vocabulary.decode(ids) for ids in vocabulary.encode_batch(texts, 2)] == texts


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_space_is_one_token_where_the_corpus_has_none(kind, tmp_path):
    path = tmp_path / "sample"
    path.write_text("".join(f"{line}\n" for line in _lines("")), encoding="utf-8")
    vocabulary = SentencePieceVocabulary(train_sentencepiece([path], [False], kind, 400))
    [space] = vocabulary.encode(" ")
    assert vocabulary.byte_tokens[space] == ord(" ")
    # The character that SentencePiece writes for a space remains itself.
    assert [vocabulary.byte_tokens[token] for token in vocabulary.encode(MARK)] == [*MARK.encode()]


def test_both_sides_return_their_texts_when_only_one_has_spaces(tmp_path):
    samples = tmp_path / "source", tmp_path / "target"
    for path, separator in zip(samples, (" ", ""), strict=True):
        path.write_text("".join(f"{line}\n" for line in _lines(separator)), encoding="utf-8")
    text = f"新しい Model A を {MARK}"
    for joint in (False, True):
        settings_of_both = VocabularySettings(size=500, joint=joint)
        tokenizer = train_tokenizer(samples, (" ", ""), settings_of_both, tmp_path)
        assert tokenizer.target.decode(tokenizer.encode_target(text)) == text
        assert tokenizer.source.decode(tokenizer.encode_source(text)) == text
        assert UNK not in tokenizer.encode_target(text)
