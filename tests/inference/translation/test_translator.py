"""The translator: order, batches, blank text, long text, n-best, alignment."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longspan.inference.search.search import SearchSettings
from longspan.inference.translation import translator as module
from longspan.inference.translation.translator import Translator
from longspan.training.tokenizer.tokenizer import EOS, Tokenizer
from longspan.training.tokenizer.vocabularies import WordVocabulary

WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d", "e"])
TOKENIZER = Tokenizer(WORDS, WORDS, joint=True)
TEXTS = ["a b c", "", "d", "e e e e e d c b a a b", " \t ", "c a", "b unknown a"]


@pytest.fixture
def translate(tiny_model):
    model = tiny_model(len(WORDS))

    def build(**arguments) -> Translator:
        arguments.setdefault("settings", SearchSettings(beam_size=3))
        return Translator(model, TOKENIZER, **arguments)

    return build


def test_translations_come_in_order_whatever_the_batches(translate):
    together = translate().translate(TEXTS)
    assert [t.text for t in together] == [translate().translate([t])[0].text for t in TEXTS]
    for tokens in (1, 7, 30):
        again = translate(max_batch_tokens=tokens).translate(TEXTS)
        assert [t.text for t in again] == [t.text for t in together]
        assert [t.score for t in again] == pytest.approx([t.score for t in together], abs=1e-5)


def test_batches_hold_every_text_once_within_the_budget(translate):
    lengths = [3, 50, 1, 7, 7, 200, 2]
    batches = list(translate(max_batch_tokens=60)._batches(lengths))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(
        len(batch) * max(lengths[i] for i in batch) <= 60 or len(batch) == 1 for batch in batches
    )
    assert len(batches) == 3


def test_blank_text_never_reaches_the_model(translate, monkeypatch):
    monkeypatch.setattr(module, "search", None)
    results = translate().translate(["", "  ", "\u3000\n"])
    assert [(r.text, r.finished, r.n_best) for r in results] == [("", True, ())] * 3
    assert translate().translate([]) == []


def test_n_best_and_alignment_fit_the_tokens(translate):
    chosen = SearchSettings(beam_size=4, n_best=3, with_alignment=True)
    [result] = translate(settings=chosen).translate(["a b c d"])
    assert result.source_tokens == ("a", "b", "c", "d", "</s>")
    assert [c.score for c in result.n_best] == sorted(
        (c.score for c in result.n_best), reverse=True
    )
    assert result.text == result.n_best[0].text
    for candidate in result.n_best:
        assert candidate.text == " ".join(candidate.tokens)
        assert candidate.alignment.shape == (len(candidate.tokens), 5)
        np.testing.assert_allclose(candidate.alignment.sum(1), 1, atol=1e-5)


def test_unfinished_translations_are_reported(tiny_model):
    model = tiny_model(len(WORDS))
    with torch.no_grad():
        model.projection.bias[EOS] = -1e4
    said = []
    chosen = SearchSettings(beam_size=2, max_length_factor=1.0, max_length_offset=0)
    results = Translator(model, TOKENIZER, chosen, report=said.append).translate(["a b", "", "c"])
    assert [r.finished for r in results] == [False, True, False]
    assert [len(r.tokens) for r in results] == [3, 0, 2]
    assert len(said) == 1
    assert "2 of 3" in said[0]
    assert "text 1, 3;" in said[0]


def test_the_model_keeps_its_mode(translate):
    made = translate()
    made.model.train()
    first = made.translate(["a b c"])[0]
    assert made.model.training
    made.model.eval()
    assert made.translate(["a b c"])[0].score == first.score
    assert not made.model.training


def test_a_text_of_two_thousand_words_is_read_whole(translate):
    chosen = SearchSettings(beam_size=1, max_length=30, min_length=1)
    text = " ".join(["a", "b", "c", "d"] * 500)
    [whole] = translate(settings=chosen, max_batch_tokens=100, report=print).translate([text])
    assert len(whole.source_tokens) == 2001
    assert whole.tokens


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.text(max_size=30), max_size=4))
def test_any_text_has_a_translation(translate, texts):
    results = translate(settings=SearchSettings(beam_size=1), report=lambda _: None).translate(
        texts
    )
    assert len(results) == len(texts)
    assert all(bool(r.n_best) == bool(t.strip()) for r, t in zip(results, texts, strict=True))


def test_by_sentence_each_sentence_is_translated_as_if_it_came_alone(translate):
    settings = SearchSettings(beam_size=3, min_length=2, with_alignment=True)
    texts = ["We a b c! They d e e!", "", "Only a!", "See a! See b! See c!\nSee d!"]
    sentences = [
        ["We a b c!", "They d e e!"],
        [],
        ["Only a!"],
        ["See a!", "See b!", "See c!", "See d!"],
    ]
    together = translate(settings=settings).translate_by_sentence(texts, "en")
    for found, own in zip(together, sentences, strict=True):
        alone = translate(settings=settings).translate(own)
        assert found.text.replace("\n", " ") == " ".join(t.text for t in alone)
        assert found.score == pytest.approx(sum(t.score for t in alone), abs=1e-5)
        assert found.tokens == tuple(token for t in alone for token in t.tokens)
        if own:
            assert found.alignment.shape == (len(found.tokens), len(found.source_tokens))
    assert together[3].text.count("\n") == 1


def test_by_sentence_the_report_counts_texts_not_sentences(translate):
    said = []
    translator = translate(
        settings=SearchSettings(beam_size=1, max_length=1, min_length=1), report=said.append
    )
    translator.translate_by_sentence(["See a! See b! See c!", "a b"], "en")
    assert len(said) == 1
    assert said[0].startswith("2 of 2 translations")
