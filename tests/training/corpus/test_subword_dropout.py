import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.training.corpus.subword_dropout import SubwordDropout, split_tokens
from longspan.training.tokenizer.tokenizer import EOS, SentencePieceVocabulary, Tokenizer
from longspan.training.tokenizer.vocabulary_training import train_sentencepiece

LINES = ["the harbour is open", "the harbours were opened", "an open harbour", "they open it"] * 20


@pytest.fixture(scope="module", params=["bpe", "unigram"])
def vocabulary(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "lines"
    path.write_text("\n".join(LINES), encoding="utf-8")
    model = train_sentencepiece([path], [True], request.param, 320)
    return SentencePieceVocabulary(model, prefix_space=True)


@settings(deadline=None)
@given(
    text=st.lists(st.sampled_from([*LINES[0].split(), "opened", "日", "x"])).map(" ".join),
    rate=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_split_tokens_spell_the_same_text(vocabulary, text, rate, seed):
    ids = np.array([*vocabulary.encode(text), EOS])
    split = split_tokens(ids, np.array(vocabulary.halves()), rate, np.random.default_rng(seed))
    assert vocabulary.decode(split) == text
    assert split[-1] == EOS
    assert len(split) >= len(ids)


def test_a_rate_of_one_leaves_only_what_cannot_be_split(vocabulary):
    halves = np.array(vocabulary.halves())
    ids = np.array(vocabulary.encode("the harbour is open"))
    split = split_tokens(ids, halves, 1.0, np.random.default_rng(0))
    assert len(ids) < len(split)
    assert (halves[split] == -1).all()


def test_half_of_the_tokens_are_split_at_half_the_rate():
    # Token 9 is made of 7 and 8, which are made of nothing.
    halves = np.full((10, 2), -1)
    halves[9] = 7, 8
    split = split_tokens(np.full(10_000, 9), halves, 0.5, np.random.default_rng(1))
    assert len(split) - 10_000 == pytest.approx(5_000, abs=200)
    assert (split == 7).sum() == (split == 8).sum()
    after_seven = np.flatnonzero(split == 7) + 1
    assert (split[after_seven] == 8).all()


def test_a_rate_of_zero_is_no_dropout(vocabulary):
    tokenizer = Tokenizer(vocabulary, vocabulary, joint=True)
    assert SubwordDropout.of(tokenizer, 0.0) is None
    assert SubwordDropout.of(tokenizer, 0.1).rate == 0.1
