"""Splitting of long text: nothing is lost, no part is too long, and where it hurts least."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.inference.refusals import TooLong
from longspan.inference.translation.answers import join_parts
from longspan.inference.translation.parts import Limits, SplitText, split_text
from longspan.inference.translation.translations import Translation
from longspan.training.tokenizer.tokenizer import Tokenizer, WordVocabulary

SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]
WORDS = Tokenizer(WordVocabulary([*SPECIAL, "a"]), WordVocabulary([*SPECIAL, "b"]))
TEXTS = st.text(alphabet=st.sampled_from("ab.,!?。、 \n\r\t\U0001f600「」"), max_size=120)


class _Characters:
    """A vocabulary of characters, as of a language written without spaces."""

    kind = "characters"
    content = b""

    def __init__(self, **settings: bool) -> None:
        self.settings = settings

    def encode(self, text: str) -> list[int]:
        return [4] * len(text)

    def encode_batch(self, texts: list[str]) -> list[list[int]]:
        return [self.encode(text) for text in texts]


CHARACTERS = Tokenizer(_Characters(), _Characters(prefix_space=False))  # type: ignore[arg-type]


def texts(parts: SplitText) -> list[str]:
    return [part.text for part in parts.parts]


def echoed(parts: SplitText) -> str:
    """What comes out when each part is translated to itself."""
    return join_parts(parts, [Translation(p.text, 0.0, 0.0, True) for p in parts.parts]).text


def test_text_within_the_limit_is_left_whole():
    parts = split_text(" a a. a a! ", WORDS, Limits(part=10))
    assert texts(parts) == [" a a. a a! "]
    assert parts.at == ""
    assert parts.parts[0].ids[-1] == 3


@pytest.mark.parametrize("text", ["", " ", "\n \t\n"])
def test_blank_text_has_no_parts(text: str):
    assert split_text(text, WORDS, Limits()).parts == ()


def test_beyond_the_limit_it_is_split_at_sentence_ends_by_the_languages_rules():
    parts = split_text("Dr. Lee has 3.5 apples. He eats. Why?", WORDS, Limits(part=6))
    assert texts(parts) == ["Dr. Lee has 3.5 apples.", "He eats.", "Why?"]
    assert parts.at == "sentence"
    assert echoed(parts) == "Dr. Lee has 3.5 apples. He eats. Why?"


def test_a_region_has_the_rules_of_its_language():
    text = "Das ist Abs. 3 davon. Gut so."
    found = texts(split_text(text, WORDS, Limits(part=6), "de-AT"))
    assert found == ["Das ist Abs. 3 davon.", "Gut so."]
    assert found != texts(split_text(text, WORDS, Limits(part=6), "en"))


def test_sentences_of_a_language_without_spaces_are_joined_by_nothing():
    text = "赤い本です。「はい。」読む。"
    parts = split_text(text, CHARACTERS, Limits(part=8), "ja")
    assert len(parts.parts) == 3
    assert echoed(parts) == text


def test_a_sentence_that_is_too_long_is_split_at_clauses_then_words_then_anywhere():
    assert split_text("a a a, a a a, a a.", WORDS, Limits(part=7)).at == "clause"
    assert texts(split_text("a a a, a a, a a.", WORDS, Limits(part=7))) == ["a a a, a a,", "a a."]
    assert split_text("a a a a a a a a a a", WORDS, Limits(part=5)).at == "word"
    assert split_text("aaaaaaaaaaaaaaaaaaa", CHARACTERS, Limits(part=8)).at == "character"


def test_line_ends_stay_where_they_are():
    text = "\na a. a\r\n\n  \na\n"
    parts = split_text(text, WORDS, Limits())
    assert texts(parts) == ["a a. a", "a"]
    assert parts.at == "line"
    assert echoed(parts) == "\na a. a\r\n\n\na\n"


def test_each_sentence_alone_where_that_is_asked_for():
    assert texts(split_text("He eats. Why?", WORDS, Limits(), how="sentences")) == [
        "He eats.",
        "Why?",
    ]


def test_never_splitting_is_a_refusal():
    with pytest.raises(TooLong, match="at most 3 source tokens with split=never, got 5"):
        split_text("a a a a", WORDS, Limits(part=3), how="never")
    assert texts(split_text("a a\na", WORDS, Limits(part=5), how="never")) == ["a a\na"]


def test_there_is_an_end_to_every_text():
    with pytest.raises(TooLong, match="at most 10 source tokens, got 101"):
        split_text("a " * 100, WORDS, Limits(part=5, text=10))


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from([WORDS, CHARACTERS]), st.sampled_from(["auto", "sentences"]))
def test_nothing_but_space_is_lost_and_no_part_is_too_long(text: str, tokenizer, how: str):
    parts = split_text(text, tokenizer, Limits(part=8), how=how)
    assert "".join(echoed(parts).split()) == "".join(text.split())
    assert all(len(part.ids) <= 8 and part.text.strip() for part in parts.parts)
    assert bool(parts.at) == (len(parts.parts) > 1)
    assert all(text.startswith(part.text, part.start) for part in parts.parts)


@pytest.mark.parametrize("limit", [8, 20, 64])
def test_words_of_a_sentence_that_is_split_stay_apart(limit: int):
    text = "a b " * 100
    parts = split_text(text, WORDS, Limits(part=limit))
    assert [word for part in parts.parts for word in part.text.split()] == text.split()
    assert all(text.startswith(part.text, part.start) for part in parts.parts)


def test_a_text_of_too_many_characters_is_refused_unread():
    with pytest.raises(TooLong, match="at most 10 source tokens, got 100,001 characters"):
        split_text("a" * 100_001, WORDS, Limits(part=5, text=10))
    assert len(texts(split_text("a" * 100_000, WORDS, Limits(part=5, text=10)))) == 1


def test_lines_are_as_many_as_they_are():
    text = "a\n" * 50_000
    parts = split_text(text, WORDS, Limits(text=100_000), how="sentences")
    assert len(parts.parts) == 50_000
    assert echoed(parts) == text


@pytest.mark.parametrize(
    "unit", ["「a。」", "私は本を読む。", "x", "the cat ", "\U0001f600", "a\n", "\x00"]
)
def test_a_hundred_thousand_characters_of_a_real_vocabulary(spelling_tokenizer, unit: str):
    text = (unit * 100_000)[:100_000]
    parts = split_text(text, spelling_tokenizer, Limits(text=10**6), "ja")
    assert "".join(echoed(parts).split()) == "".join(text.split())
    assert max(len(part.ids) for part in parts.parts) <= 512


@pytest.mark.parametrize("most", [3, 8, 9, 20])
def test_no_cut_glues_words_together(most):
    words = [f"w{i % 12}" for i in range(97)]
    tokenizer = Tokenizer(
        *2 * [WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", *dict.fromkeys(words)])]
    )
    for text in (" ".join(words), ", ".join(words), "  ".join(words)):
        parts = split_text(text, tokenizer, Limits(part=most), "en").parts
        assert all(len(part.ids) <= most for part in parts)
        assert " ".join(part.text for part in parts).replace(",", " ").split() == words
