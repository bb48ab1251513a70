"""Lengths in words: one rule for all scripts, equal for the same text however it is written."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.lengths import (
    LENGTH_RULE,
    SCRIPTS,
    count_words,
    is_unspaced,
    text_length,
)
from longspan.training.sample.generator import SampleCorpus, SampleSettings

UNSPACED = "".join(script.ranges for script in SCRIPTS)
LETTERS = st.sampled_from("先生はパンを読みครูอ่าน老师看书ຄູອ່ານគ្រូអានဆရာဖတ်དགེ་རྒན་ab, é1.。、 \t")


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_text_of_scripts_with_spaces_is_counted_by_its_spaces(text):
    assert count_words(text) == len(text.split())


@given(st.text(LETTERS))
def test_spaces_between_characters_of_a_script_without_spaces_change_nothing(text):
    spaced = re.sub(f"(?<=[{UNSPACED}])(?=[{UNSPACED}])", " ", text)
    assert count_words(spaced) == count_words(text)


@given(st.text(LETTERS), st.text(LETTERS))
def test_lengths_of_texts_add_up_with_a_space_between_them(first, second):
    whole = text_length(f"{first} {second}")
    if is_unspaced(first) == is_unspaced(second):
        assert whole == pytest.approx(text_length(first) + text_length(second))


@given(st.text(LETTERS))
def test_a_text_has_at_least_one_word_unless_it_is_blank(text):
    assert (count_words(text) == 0) == (not text.strip())


@given(st.text(st.one_of(LETTERS, st.characters())))
def test_a_text_has_at_most_as_many_words_as_characters(text):
    assert count_words(text) <= len(text)


@given(st.text(LETTERS, min_size=1), st.integers(2, 50))
def test_a_text_repeated_is_as_many_times_as_long(text, times):
    whole = text_length(" ".join([text] * times))
    assert whole == pytest.approx(times * text_length(text))
    assert count_words(text * times) <= whole + 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("猫", 1),
        ("我们在学校", 3),  # 5 / 1.5 = 3.3
        ("日本語のテキスト", 3),  # 3 / 1.5 + 1 / 2.5 + 4 / 4
        ("新しいUSBケーブルを2本買った", 7),  # USB, 2; 本 and two more, 6 hiragana, 4 katakana
        ("Linux カーネル 6.1 の設定", 5),
        ("the word 雪 means snow", 5),
        ("ข้อความ", 2),
        ("ሰላም፡ለዓለም፡ሁሉ።", 3),
        ("안녕하세요 여러분", 2),
        ("Xin chào các bạn", 4),
        ("。。。", 1),
        ("他说：“OK, 好”。", 3),
    ],
)
def test_mixed_text_has_words_and_characters(text, words):
    assert count_words(text) == words


# The same two sentences in each language, in English 26 words.
ENGLISH = (
    "The old teacher reads a thick book in the garden every morning. In the evening he tells the "
    "children of the village what he has learned."
)
TRANSLATIONS = {
    "ja": "年取った先生は毎朝庭で厚い本を読みます。"
    "夕方には、学んだことを村の子供たちに話して聞かせます。",
    "zh": "年老的老师每天早上在花园里读一本很厚的书。"
    "到了晚上，他把自己学到的东西讲给村里的孩子们听。",
    "th": "ครูชราอ่านหนังสือเล่มหนาในสวนทุกเช้า ในตอนเย็นเขาเล่าสิ่งที่ได้เรียนรู้ให้เด็กๆ ในหมู่บ้านฟัง",
    "lo": "ຄູເຖົ້າອ່ານປຶ້ມຫົວໜາຢູ່ໃນສວນທຸກໆເຊົ້າ ໃນຕອນແລງລາວເລົ່າສິ່ງທີ່ໄດ້ຮຽນຮູ້ໃຫ້ເດັກນ້ອຍໃນບ້ານຟັງ",
    "km": "គ្រូចាស់អានសៀវភៅក្រាស់មួយនៅក្នុងសួនរៀងរាល់ព្រឹក។ នៅពេលល្ងាច គាត់ប្រាប់ក្មេងៗក្នុងភូមិអំពីអ្វីដែលគាត់បានរៀន។",
    "my": "ဆရာအိုကြီးသည် မနက်တိုင်း ဥယျာဉ်ထဲတွင် စာအုပ်ထူကြီးတစ်အုပ်ကို ဖတ်သည်။ "
    "ညနေတွင် သူသင်ယူခဲ့သည်များကို ရွာထဲရှိ ကလေးများအား ပြောပြသည်။",
}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_is_about_as_long_as_its_english_text(language):
    assert count_words(ENGLISH) == 26
    assert 0.6 <= count_words(TRANSLATIONS[language]) / 26 <= 1.4


def test_both_sides_of_the_sample_are_about_equally_long():
    rows = list(SampleCorpus(SampleSettings(pairs=300, validation=16, test_per_bucket=4)).test())
    lengths = [(count_words(row.english), count_words(row.japanese)) for row in rows]
    english, japanese = (sum(side) for side in zip(*lengths, strict=True))
    assert 0.8 <= japanese / english <= 1.25


def test_scripts_do_not_overlap_and_have_letters_and_marks_alone():
    found = [
        {chr(n) for n in range(0x30000) if re.match(f"[{script.ranges}]", chr(n))}
        for script in SCRIPTS
    ]
    assert len(set().union(*found)) == sum(map(len, found))
    for characters, script in zip(found, SCRIPTS, strict=True):
        kinds = {unicodedata.category(c)[0] for c in characters if unicodedata.category(c) != "Cn"}
        assert kinds <= {"L", "M", "N", "S"}, script
        assert not any(c.isdecimal() for c in characters), script
        assert f"{script.name} {script.characters:g}" in LENGTH_RULE
