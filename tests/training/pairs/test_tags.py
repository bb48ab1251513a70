import pytest
from hypothesis import given
from hypothesis import strategies as st

from longspan.training.pairs.tags import is_language, is_same_language, is_tag_of, is_translation


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("en", "en-US"),
        ("en_US", "en"),
        ("EN-gb", "en"),
        ("deu", "de"),
        ("ger", "de"),
        ("cmn", "zh"),
        ("nb", "no"),
        ("fra_Latn", "fr"),
        ("zh-TW", "zh-Hant"),
        ("qqq", "qqq"),
        ("German", "de"),
        ("deutsch", "de"),
        ("Français", "fr"),
        ("українська", "uk"),
        ("한국어", "ko"),
        ("Simplified Chinese", "zh-CN"),
        ("繁體中文", "zh-TW"),
        ("Spanish (Mexico)", "es-MX"),
        ("Portuguese (Brazil)", "pt"),
        ("Norwegian", "nb"),
        ("ドイツ語", "de"),
    ],
)
def test_what_stands_for_a_language(text, asked):
    assert is_same_language(text, asked)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("en-GB", "en-US"),
        ("zh-TW", "zh-Hans"),
        ("pt-PT", "pt-BR"),
        ("Spanish (Spain)", "es-MX"),
        ("German", "en"),
        ("Germany", "de"),
        ("German text", "de"),
        ("da", "no"),
        ("Hello", "en"),
        ("", "en"),
        ("\0", "en"),
    ],
)
def test_what_does_not(text, asked):
    assert not is_same_language(text, asked)


def test_words_are_not_languages():
    words = ("Hi", "No", "the", "dog", "Germany", "こんにちは", "")
    assert [word for word in words if is_language(word)] == []
    names = ("hi", "NO", "ja-JP", "por_Latn", "German", "Deutsch", "한국어", "Chinese (Simplified)")
    assert [name for name in names if not is_language(name)] == []


@given(st.text())
def test_any_text_is_compared(text):
    assert is_tag_of(text, text)
    assert not is_language(text) or not text.isspace()
    is_same_language(text, "de")


def test_directions_of_a_translation():
    asked = ("fr", "de")
    assert is_translation("fra", "de-AT", asked) == (True, False)
    assert is_translation("de", "fr-CA", asked) == (False, True)
    assert is_translation("en", "de", asked) == (False, False)
    assert is_translation(None, "de", asked) == (True, False)
    assert is_translation(None, None, asked) == (True, True)
