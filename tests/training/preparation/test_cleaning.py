import pytest

from longspan.training.errors import DataError
from longspan.training.pairs.pairs import Pair
from longspan.training.pairs.rows import Problem
from longspan.training.preparation.cleaning import RULES, Removals, broken_rule, normalised
from longspan.training.preparation.settings import CleaningRules


@pytest.mark.parametrize(
    ("source", "target", "rule"),
    [
        ("one", "一", None),
        ("  spaces  kept ", "　空白", None),
        ("", "一", "empty side"),
        ("one", " \u3000", "empty side"),
        ("o\x00ne", "一", "control characters"),
        ("one", "一\u0085", "control characters"),
        ("one\nmore", "一", "control characters"),
        ("one\u2028more", "一", "control characters"),
        ("one", "\udc80", "invalid UTF-8"),
        ("x" * 20_000, "y" * 20_000, None),
        ("x" * 20_001, "y" * 20_000, "length"),
        ("a " * 3_000, "y" * 3_000, None),
        ("a " * 3_001, "y" * 3_001, "length"),
        ("x" * 100, "y" * 10, None),
        ("x" * 101, "y" * 10, "length ratio"),
        ("y" * 10, "x" * 101, "length ratio"),
    ],
)
def test_each_rule_takes_its_pairs(source, target, rule):
    assert broken_rule(Pair(source, target), CleaningRules()) == rule


def test_least_lengths():
    rules = CleaningRules(min_characters=3, min_words=2)
    assert broken_rule(Pair("a b", "c d"), rules) is None
    assert broken_rule(Pair("abc", "c d"), rules) == "length"
    assert broken_rule(Pair("a b", "cd"), rules) == "length"


def test_a_document_with_control_characters_is_refused_too():
    assert broken_rule(Pair("one", "一", "a\tb"), CleaningRules()) == "control characters"


def test_text_stays_as_it_is_unless_nfkc_is_asked_for():
    pair = Pair("ｆｕｌｌ", "ﾊﾝｶｸ", "doc", 3, "x:1")
    assert normalised(pair, CleaningRules()) is pair
    assert normalised(pair, CleaningRules(nfkc=True)) == Pair("full", "ハンカク", "doc", 3, "x:1")


@pytest.mark.parametrize(
    "wrong", [{"min_words": 9, "max_words": 8}, {"max_ratio": 0.5}, {"max_ratio": float("nan")}]
)
def test_rules_that_no_pair_can_keep_are_refused(wrong):
    with pytest.raises(DataError, match="expected a"):
        CleaningRules(**wrong)


def test_removals_are_counted_and_the_first_ones_shown():
    removals = Removals()
    for number in range(9):
        removals.add_pair("length", Pair("x" * 300, "y", origin=f"some/where/x.tsv:{number}"))
    removals.add_problem(Problem("x.tsv:10", "malformed row", "has 1 column(s), expected 2"))
    assert removals.total == 10
    assert removals.summary() == "9 by length, 1 by malformed row"
    shown = removals.to_json()
    assert list(shown) == list(RULES)
    assert [e["origin"] for e in shown["length"]["examples"]] == [f"x.tsv:{n}" for n in range(5)]
    assert shown["length"]["examples"][0]["source"] == "x" * 200 + "…"
    assert shown["malformed row"]["examples"][0]["detail"] == "has 1 column(s), expected 2"
