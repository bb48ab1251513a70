"""Codes of languages: those that there are, and what was meant by others."""

import pytest

from longspan.training.languages import language_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "en"),
        ("no", "no"),
        ("zh-Hant-TW", "zh-hant-tw"),
        ("pt_BR", "pt-br"),
        ("yue", "yue"),
        ("haw", "haw"),
        (" JA ", "ja"),
    ],
)
def test_a_code_of_a_language_is_taken(text: str, code: str) -> None:
    assert language_code(text) == code


@pytest.mark.parametrize(
    ("text", "meant"),
    [("jp", "ja"), ("jpn", "ja"), ("ger", "de"), ("deu", "de"), ("cn", "zh"), ("iw", "he")],
)
def test_what_was_meant_is_named(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"got {text!r}; did you mean {meant}\?$"):
        language_code(text)


@pytest.mark.parametrize("text", ["xx", "english", "e", "12", "-", "en-", ""])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=rf"such as en, ja or pt-br, got {text!r}$"):
        language_code(text)
