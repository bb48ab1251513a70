"""Codes of languages: those that there are, and what was meant by others."""

import pytest

from longspan.pipelines.config import parse_config
from longspan.pipelines.config.languages import language_problem


@pytest.mark.parametrize("code", ["en", "ja", "no", "zh-Hant", "pt-BR", "yue", "haw", "zh-Hant-TW"])
def test_a_code_of_a_language_is_taken(code: str) -> None:
    assert language_problem(code) is None


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("jp", "ja"),
        ("jpn", "ja"),
        ("ger", "de"),
        ("deu", "de"),
        ("cn", "zh"),
        ("iw", "he"),
        ("en_US", "en"),
        ("EN", "en"),
        ("en-", "en"),
    ],
)
def test_what_was_meant_is_named(code: str, meant: str) -> None:
    problem = language_problem(code)
    assert problem is not None
    assert problem.endswith(f"came {code}; did you mean {meant}?")


@pytest.mark.parametrize("code", ["xx", "english", "e", "12", "-"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert language_problem(code) == (
        f"expected a language's code such as en, ja or zh-Hant, came {code}"
    )


def test_norwegian_is_no_truth() -> None:
    config = parse_config("data: {pairs: a.tsv, source_language: no, header: yes}\n")
    assert config.data.source_language == "no"
    assert config.data.header == "yes"
