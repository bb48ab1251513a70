"""Accounts and repairs, with a model that translates word by word."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.inference.accounting.account import TextSpan, TranslationAccount, join_accounts
from longspan.inference.accounting.examination import Question, answer_all
from longspan.inference.accounting.ledger import Evidence, Ledger, shares
from longspan.inference.accounting.repair import Accounted, account_for
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.settings import SearchSettings
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer
from longspan.training.tokenizer.vocabularies import SPECIAL_WORDS, WordVocabulary

WORDS = WordVocabulary([*SPECIAL_WORDS, ",", *(f"w{n}" for n in range(400))])
TOKENIZER = Tokenizer(WORDS, WORDS, joint=True)
SEARCH = SearchSettings(beam_size=1)
KNOWN, FOREIGN = -0.2, -9.0


class WordByWord:
    """Translates each word by itself; `attends` says whether it shows where from."""

    def __init__(self, *, attends: bool = True) -> None:
        self.attends = attends
        self.asked = 0

    def __call__(self, questions: list[Question]) -> list[Hypothesis]:
        self.asked += len(questions)
        return [self._answer(question) for question in questions]

    def _answer(self, question: Question) -> Hypothesis:
        source = question.source[:-1]
        assert question.source[-1] == EOS
        target = source if question.target is None else question.target
        # Each word of the source accounts for one word of the target.
        left = list(source)
        chances, weights = [], np.zeros((len(target), len(source) + 1))
        for row, word in enumerate(target):
            known = word in left
            if known:
                left[left.index(word)] = -1
                weights[row, source.index(word)] = 1
            else:
                weights[row] = 1 / weights.shape[1]
            chances.append(KNOWN if known else FOREIGN)
        chances.append(KNOWN if all(word == -1 for word in left) else FOREIGN)
        alignment = weights.astype(np.float32) if self.attends else None
        mean = sum(chances) / len(chances)
        return Hypothesis(list(target), mean, sum(chances), True, alignment, False, tuple(chances))


def run(text: str, target: Sequence[int], *, model=None, repair=False) -> Accounted:
    examination = account_for(TOKENIZER, text, target, SEARCH, repair=repair)
    [found] = answer_all([examination], model or WordByWord())
    return found


def clauses(numbers: Sequence[int]) -> list[str]:
    """Clauses of four to seven words of their own."""
    words = iter(range(400))
    return [" ".join(f"w{next(words)}" for _ in range(4 + n % 4)) + " ," for n in numbers]


def text_of(parts: Sequence[str]) -> str:
    return " ".join(parts)


LENGTHS = st.lists(st.integers(0, 3), min_size=2, max_size=40)


@settings(deadline=None, max_examples=60)
@given(lengths=LENGTHS, attends=st.booleans())
def test_a_whole_translation_has_no_faults(lengths, attends):
    text = text_of(clauses(lengths))
    found = run(text, WORDS.encode(text), model=WordByWord(attends=attends)).account
    assert (found.omissions, found.duplications) == ((), ())
    assert found.source_tokens == found.target_tokens == len(text.split())
    assert found.omitted_tokens == found.duplicated_tokens == 0


@settings(deadline=None, max_examples=60)
@given(lengths=LENGTHS, attends=st.booleans(), data=st.data())
def test_what_is_left_out_is_named(lengths, attends, data):
    parts = clauses(lengths)
    text = text_of(parts)
    gone = data.draw(st.sets(st.integers(0, len(parts) - 1), min_size=1, max_size=len(parts) - 1))
    kept = text_of([part for n, part in enumerate(parts) if n not in gone])
    found = run(text, WORDS.encode(kept), model=WordByWord(attends=attends)).account
    omitted = " ".join(text[span.start : span.stop] for span in found.omissions)
    assert omitted == text_of([parts[n] for n in sorted(gone)])
    assert found.omitted_tokens == len(omitted.split())
    assert all(0.6 <= span.score <= 1 for span in found.omissions)
    assert not found.duplications


@settings(deadline=None, max_examples=60)
@given(lengths=LENGTHS, attends=st.booleans(), data=st.data())
def test_what_is_said_twice_is_named_where_it_comes_again(lengths, attends, data):
    parts = clauses(lengths)
    twice = data.draw(st.integers(0, len(parts) - 1))
    said = text_of([*parts[: twice + 1], *parts[twice:]])
    found = run(text_of(parts), WORDS.encode(said), model=WordByWord(attends=attends)).account
    [span] = found.duplications
    assert said[span.start : span.stop] == parts[twice]
    assert span.start == len(text_of(parts[: twice + 1])) + 1
    assert found.duplicated_tokens == len(parts[twice].split())
    assert not found.omissions


@settings(deadline=None, max_examples=40)
@given(lengths=LENGTHS, data=st.data())
def test_a_repair_restores_the_whole_translation(lengths, data):
    parts = clauses(lengths)
    text = text_of(parts)
    number = data.draw(st.integers(0, len(parts) - 1))
    kept = parts[:number] + parts[number + 1 :]
    doubled = data.draw(st.booleans())
    said = text_of([*parts[: number + 1], *parts[number:]] if doubled else kept)
    found = run(text, WORDS.encode(said), repair=True)
    assert found.account.repairs == 1
    assert not found.account.omissions
    assert not found.account.duplications
    assert found.repaired is not None
    assert WORDS.decode(found.repaired.ids) == text


def test_a_repair_that_the_model_scores_no_better_is_not_made():
    class Stubborn(WordByWord):
        """Prefers what it said, whatever is missing."""

        def _answer(self, question):
            answer = super()._answer(question)
            whole = question.target is not None and len(question.source) > 20
            return Hypothesis(**{**vars(answer), "score": -len(answer.ids)}) if whole else answer

    parts = clauses([1, 2, 3, 1, 2, 3])
    said = WORDS.encode(text_of(parts[:2] + parts[3:]))
    found = run(text_of(parts), said, model=Stubborn(), repair=True)
    assert found.repaired is None
    assert found.account.repairs == 0
    assert len(found.account.omissions) == 1


def test_the_work_grows_with_the_length_and_long_gaps_are_found():
    model = WordByWord()
    asked = []
    for count in (30, 60):
        parts = clauses([0] * count)
        model.asked = 0
        run(text_of(parts), WORDS.encode(text_of(parts)), model=model)
        asked.append(model.asked)
    assert asked[1] < 2.3 * asked[0]
    parts = clauses([0] * 80)
    found = run(text_of(parts), WORDS.encode(text_of(parts[:30] + parts[45:]))).account
    text = text_of(parts)
    assert [text[one.start : one.stop] for one in found.omissions] == [text_of(parts[30:45])]


def test_an_empty_translation_omits_everything():
    text = text_of(clauses([0, 1]))
    found = run(text, []).account
    assert [(one.start, one.stop, one.score) for one in found.omissions] == [(0, len(text), 1.0)]
    assert run(text, [], repair=True).account.repairs == 1


def test_examinations_run_side_by_side_as_alone():
    generator = random.Random(1)
    cases = []
    for _ in range(12):
        parts = clauses([generator.randrange(4) for _ in range(generator.randrange(1, 30))])
        kept = [part for part in parts if generator.random() < 0.8]
        cases.append((text_of(parts), WORDS.encode(text_of(kept))))
    together = answer_all(
        [account_for(TOKENIZER, text, target, SEARCH) for text, target in cases], WordByWord()
    )
    assert together == [run(text, target) for text, target in cases]


@given(
    chances=st.lists(st.lists(st.floats(-30, 0), min_size=3, max_size=3), min_size=1, max_size=8)
)
def test_shares_are_shares(chances):
    table = np.array(chances)
    found = shares(table, np.ones(3))
    assert found.shape == table.shape
    assert found.min() >= 0
    assert found.sum(axis=1) == pytest.approx(1)


def test_tokens_that_no_unit_explains_cover_nothing():
    ledger = Ledger([(0, 4), (4, 8)], [(0, 4)])
    nothing = [Evidence(n, np.full(4, -20.0), np.zeros((4, 4))) for n in (0, 1)]
    ledger.enter(nothing, 2.0)
    assert ledger.matches == [None]
    assert ledger.omission == pytest.approx(1, abs=1e-3)


def test_joined_accounts_count_from_the_start_of_the_whole_text():
    one = TranslationAccount((TextSpan(2, 4, 0.9),), (), 10, 2, 8, 0, 1)
    two = TranslationAccount((), (TextSpan(1, 3, 0.8),), 5, 0, 6, 2)
    whole = join_accounts([(0, 1, one), (20, 30, two)])
    assert whole == TranslationAccount(
        (TextSpan(2, 4, 0.9),), (TextSpan(31, 33, 0.8),), 15, 2, 14, 2, 1
    )
