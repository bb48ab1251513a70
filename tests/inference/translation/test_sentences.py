"""Sentences of long text, read through a window."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencex import segment

from longspan.inference.translation import sentence_rules
from longspan.inference.translation import sentences as module
from longspan.inference.translation.sentence_rules import joined_quotations, more_sentences
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
ANY = st.text(alphabet=st.sampled_from("aA.,!?。、 \t\"'「」()[]@1\U0001f600とไป។།"), max_size=300)


@given(ANY, st.sampled_from(["en", "ja", "ko", "th"]), st.integers(1, 60))
def test_joined_they_are_the_text(text: str, language: str, window: int):
    assert "".join(sentences(text, language, window)) == text


@pytest.mark.parametrize(("language", "kinds"), [("en", ENGLISH), ("ja", JAPANESE)])
@given(st.randoms(use_true_random=False))
def test_a_window_finds_what_the_whole_text_has(language, kinds, draw: random.Random):
    # A plain sentence after each: the library takes a row of quotations for one long sentence.
    text = "".join(kind + kinds[0] for kind in draw.choices(kinds, k=30))
    assert sentences(text, language, window=400) == sentences(text, language, window=len(text))


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


# Sentences with bars between them.
EXPECTED = [
    ("ja", "「はい。」と言った。|彼は帰った。"),
    ("ja", "彼女は「もう遅い！」と叫んで走った。|雨だった。"),
    ("ja", "彼は「はい。」「いいえ。」と答えた。|次の文。"),
    ("ja", "『本当だ！』と彼は叫んだ。|「行こう。」|彼は立った。"),
    ("ja", "「頑張れ。」の一言で立ち直った。|「やめて。」なんて言わない。"),
    ("ja", "「行こう。」|とても楽しい。|「来て。」|のちに分かった。"),
    ("zh", "“真的吗？”她问。|我们走吧。"),
    ("zh", "「好。」他說。|我走了。"),
    ("ko", "“네.”라고 말했다. |그는 갔다."),
    ("th", "ผมชื่อสมชาย |ผมเป็นคนไทย |เมื่อวานฝนตกหนักมาก"),
    ("th", "สี แดง เขียว น้ำเงิน"),
    ("th", "ราคา 100 บาท |วันนี้เป็นอย่างไร? |ดีมากเลยทีเดียว ครับ"),
    ("th", "เครื่องนี้ใช้ Windows 11 ได้ดี"),
    ("lo", "ຂ້ອຍໄປຕະຫຼາດ |ລາວມາຈາກວຽງຈັນ"),
    ("km", "ខ្ញុំទៅផ្សារ។ |គាត់មកពីភ្នំពេញ។|តើអ្នកសុខសប្បាយទេ? |បាទ៕"),
    ("km", "គាត់និយាយថា «បាទ។» |ខ្ញុំទៅផ្ទះ។"),
    ("my", "သူသွားသည်။|ငါလာသည်။ |ကောင်းပါတယ်။"),
    ("bo", "ང་རྒྱ་གར་ནས་ཡིན། |ཁོང་བོད་ནས་རེད།"),
    ("en", '"No." he said. |Then he left.'),
]


@pytest.mark.parametrize(("language", "marked"), EXPECTED)
def test_sentences_of_each_script(language: str, marked: str):
    found = sentences(marked.replace("|", ""), language)
    assert "|".join(found) == marked


@pytest.mark.parametrize("language", ["th", "km"])
def test_the_script_decides_whatever_the_language_is_said_to_be(language: str):
    for marked in (marked for own, marked in EXPECTED if own == language and "?" not in marked):
        assert "|".join(sentences(marked.replace("|", ""), "en")) == marked


@given(st.lists(ANY.filter(bool), max_size=9))
def test_the_rules_change_no_text(pieces: list[str]):
    joined = joined_quotations(pieces)
    assert "".join(joined) == "".join(pieces)
    assert "".join(s for piece in joined for s in more_sentences(piece)) == "".join(pieces)


@pytest.mark.parametrize(
    "unit",
    ["「a。」", "「はい。」と言った。", "「a。", "ผมเป็นคนไทย ", "ទៅ។", "་ ", "。", "a. ", "「"],
)
def test_work_grows_as_the_text_does(unit: str, monkeypatch: pytest.MonkeyPatch):
    """Counts the characters that the library reads and the cuts that the rules look at."""
    read: list[int] = []
    looked: list[int] = []
    goes_on = sentence_rules._goes_on

    def count(language: str, text: str) -> list[str]:
        read.append(len(text))
        return list(segment(language, text))

    def look(piece: str, following: str, *, then: bool) -> bool:
        looked.append(1)
        return goes_on(piece, following, then=then)

    monkeypatch.setattr(module, "segment", count)
    monkeypatch.setattr(sentence_rules, "_goes_on", look)
    work = []
    for times in (1, 2, 4):
        read.clear()
        looked.clear()
        text = (unit * 33_000)[: 8_000 * times]
        assert "".join(sentences(text, "ja")) == text
        work.append((sum(read), len(looked)))
    (once, looks), (twice, _), (four, looks_of_four) = work
    assert twice <= 2.5 * once
    assert four <= 5 * once <= 5 * 4 * 8_000
    assert looks_of_four <= 5 * max(looks, 2)


def test_a_long_row_of_quotations_is_one_sentence_if_the_last_one_goes_on():
    text = "「はい。」" * 5_000
    assert len(sentences(text, "ja")) == 5_000
    assert sentences(text + "と言った。", "ja") == [text + "と言った。"]
