"""Scores against sacreBLEU itself, and the choice of the long part.

`scores` uses private parts of sacreBLEU: a new version that changes one fails here, by name.
"""

import inspect
from importlib.metadata import version

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from longspan.training.bleu_tokenizers import TOKENIZERS
from longspan.training.errors import DataError
from longspan.training.scores import (
    bleu_of,
    check_tokenizer,
    chrf_of,
    corpus_bleu,
    long_part,
    statistics,
)

INSTALLED = [name for name in TOKENIZERS if name != "ko-mecab"]
SENTENCE = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "."]), max_size=12).map(" ".join)
PAIRS = st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=6)


def test_sacrebleu_is_the_version_that_scores_was_written_for():
    assert version("sacrebleu") == "2.6.0"


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (BLEU._extract_corpus_statistics, ["self", "hypotheses", "references"]),
        (BLEU._preprocess_segment, ["self", "sent"]),
        (CHRF._extract_corpus_statistics, ["self", "hypotheses", "references"]),
        (CHRF._compute_f_score, ["self", "statistics"]),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_private_methods_of_sacrebleu_take_what_scores_gives(method, parameters):
    assert list(inspect.signature(method).parameters) == parameters


def test_private_counts_of_sacrebleu_stand_in_the_order_that_scores_reads():
    hypotheses, references = ["a b c d e"], [["a b c d"]]
    [bleu] = BLEU(tokenize="none", force=True)._extract_corpus_statistics(hypotheses, references)
    # Tokens of hypothesis and reference, then matching and all n-grams of orders 1 to 4.
    assert list(bleu) == [5, 4, 4, 3, 2, 1, 5, 4, 3, 2]
    [chrf] = CHRF()._extract_corpus_statistics(["ab"], [["abc"]])
    # N-grams of hypothesis, of reference and in both, for each of 6 orders.
    assert list(chrf) == [2, 3, 2, 1, 2, 1, 0, 1, 0] + 9 * [0]
    assert CHRF()._compute_f_score(list(chrf)) == CHRF().corpus_score(["ab"], [["abc"]]).score
    assert BLEU(tokenize="13a")._preprocess_segment("A b.") == "A b ."


@settings(max_examples=150, deadline=None)
@given(PAIRS)
def test_bleu_and_chrf_of_sums_are_sacrebleus(pairs):
    hypotheses, references = map(list, zip(*pairs, strict=True))
    counted = statistics(hypotheses, references, "none")
    bleu = sacrebleu.BLEU(tokenize="none", force=True)
    expected = bleu.corpus_score(hypotheses, [references])
    assert float(bleu_of(counted.bleu.sum(0))) == pytest.approx(expected.score, abs=1e-9)
    assert corpus_bleu(hypotheses, references, "none") == expected.score
    assert counted.bleu_signature == str(bleu.get_signature())
    chrf = sacrebleu.CHRF()
    assert chrf_of(counted.chrf.sum(0)) == chrf.corpus_score(hypotheses, [references]).score
    assert counted.chrf_signature == str(chrf.get_signature())


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=3), st.sampled_from(INSTALLED)
)
def test_any_text_is_counted(pairs, tokenize):
    hypotheses, references = map(list, zip(*pairs, strict=True))
    counted = statistics(hypotheses, references, tokenize)
    assert 0 <= float(bleu_of(counted.bleu.sum(0))) <= 100 + 1e-9
    assert counted.bleu.shape == (len(pairs), 10)


def test_japanese_is_cut_into_words_by_mecab():
    score = corpus_bleu(["彼は学生です。"], ["彼は学生です。"], "ja-mecab")
    assert score == pytest.approx(100)
    counted = statistics(["彼は学生です。"], ["彼女は先生です。"], "ja-mecab")
    assert counted.bleu[0, :3].tolist() == [5, 5, 3]
    assert "tok:ja-mecab" in counted.bleu_signature


def test_repeats_are_the_share_of_4_grams_seen_before():
    counted = statistics(["a b c d a b c d a", "a b c"], ["a b c d e", "a a a a a a"], "none")
    assert counted.repeats.tolist() == [[2, 6, 0, 2], [0, 0, 2, 3]]


def test_empty_hypotheses_are_marked_and_no_segments_have_no_rows():
    counted = statistics(["", " \t", "a"], ["a", "b", "c"], "13a")
    assert counted.empty.tolist() == [True, True, False]
    nothing = statistics([], [], "13a")
    assert nothing.bleu.shape == (0, 10)
    assert nothing.chrf.shape == (0, 18)
    assert "tok:13a" in nothing.bleu_signature


def test_bad_input_is_named():
    with pytest.raises(DataError, match="got 1 and 2"):
        statistics(["a"], ["a", "b"], "13a")
    with pytest.raises(DataError, match="got 1 and 2"):
        corpus_bleu(["a"], ["a", "b"], "13a")
    with pytest.raises(DataError, match="at least one segment"):
        corpus_bleu([], [], "13a")
    with pytest.raises(DataError, match=r"expected a tokenizer of 13a, .*, got mecab"):
        corpus_bleu(["a"], ["a"], "mecab")
    with pytest.raises(DataError, match=r"dictionary .* pip install 'sacrebleu\[ko\]'"):
        check_tokenizer("ko-mecab")


@pytest.mark.parametrize(
    ("words", "low", "name", "members"),
    [
        ([101] * 20 + [50] * 30, 101, "over 100", range(20)),
        ([101] * 19 + [80] * 5 + [3] * 50, 76, "76 words and more", range(24)),
        ([120] + [7] * 25, 6, "6 words and more", range(26)),
        ([120] + [4] * 25, 0, "all lengths", range(26)),
        ([120, 3], 0, "all lengths", range(2)),
        ([], 0, "all lengths", []),
    ],
)
def test_long_is_over_100_words_or_the_longest_there_is_enough_of(words, low, name, members):
    part = long_part(words)
    assert (part.low, part.name, part.members.tolist()) == (low, name, list(members))
