"""Sentences of long text, read through a window."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencex import segment

from longspan.inference.translation.sentences import sentences

ENGLISH = (
    "The old doctor reads three books. ",
    "Dr. Lee came at 3.5 p.m. and left. ",
    'She said, "I will come. Wait for me." ',
    "Why not? ",
    "It rained (as it does there. Always.) and rained. ",
    "No! Not again! ",
    "He wrote to a.b@example.org about it. ",
)
JAPANESE = (
    "赤い本は机の上にあります。",
    "「行きます。待って。」と言った。",
    "なぜ？",
    "はい！",
    "（そう。）",
)
ANY = st.text(alphabet=st.sampled_from("aA.,!?。、 \t\"'「」()[]@1\U0001f600"), max_size=300)


@given(ANY, st.sampled_from(["en", "ja", "ko"]), st.integers(1, 60))
def test_joined_they_are_the_text(text: str, language: str, window: int):
    assert "".join(sentences(text, language, window)) == text


@pytest.mark.parametrize(("language", "kinds"), [("en", ENGLISH), ("ja", JAPANESE)])
@given(st.randoms(use_true_random=False))
def test_a_window_finds_what_the_whole_text_has(language, kinds, draw: random.Random):
    text = "".join(draw.choices(kinds, k=60))
    assert sentences(text, language, window=400) == segment(language, text)


def test_a_sentence_that_is_longer_than_the_window_stays_whole():
    long = "この長い文は" * 200 + "終わる。"
    assert sentences(long + "次。" + long, "ja", 100) == [long, "次。", long]
    words = "and so on " * 200
    assert sentences(f"It goes {words}. Then {words}.", "en", 100) == [
        f"It goes {words}. ", f"Then {words}.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "unit", ["「a。」", "「a。", "私は本を読む。", "'a. ", "「", "x", "a. ", "(A. "]
)
def test_there_is_an_end_to_what_the_library_needs_seconds_for(unit: str):
    text = (unit * 200_000)[:200_000]
    assert "".join(sentences(text, "ja")) == text
