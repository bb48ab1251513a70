"""Calibration: which penalties are tried and kept."""

import numpy as np
import pytest
import torch

from longspan.inference.translation.calibration import calibrate, calibrate_on
from longspan.training.corpus.shards import MemoryCorpus
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import Tokenizer
from longspan.training.tokenizer.vocabularies import WordVocabulary

WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d"])


@pytest.mark.parametrize(
    ("best", "expected"),
    [((1.0, 0.1), (1.0, 0.1)), ((0.6, 0.0), (0.6, 0.0)), ((1.0, 0.2), (1.0, 0.2))],
)
def test_the_best_is_found(best, expected):
    found = calibrate_on(lambda a, b: -abs(a - best[0]) - abs(b - best[1]), has_attention=True)
    assert (found.length_penalty, found.coverage_penalty) == expected
    assert found.score == 0
    assert found.changes == {"length_penalty": expected[0], "coverage_penalty": expected[1]}


def test_more_of_what_harms_is_not_tried():
    found = calibrate_on(lambda _, b: -b, has_attention=True)
    assert [tried[:2] for tried in found.tried] == [(1.0, 0.0), (1.0, 0.05), (0.6, 0.0)]
    assert "length_penalty=1 coverage_penalty=0" in found.line


def test_without_attention_there_is_no_coverage():
    found = calibrate_on(lambda a, b: 1.0, has_attention=False)
    assert {coverage for _, coverage, _ in found.tried} == {0.0}
    assert found.length_penalty == 1.0


@pytest.mark.parametrize("attention_type", ["none", "scaled_dot"])
def test_a_model_is_calibrated_on_its_validation_pairs(attention_type):
    torch.manual_seed(1)
    h = Hyperparameters(
        rnn_num_hidden=8, num_embed_source=4, num_embed_target=4, attention_dimension=4,
        attention_type=attention_type, beam_size=2,
    )  # fmt: skip
    model = Model(h, 8, 8).eval()
    dice = np.random.default_rng(1)
    rows = [[*dice.integers(4, 8, n).tolist(), 3] for n in (3, 5, 30, 110)]
    corpus = MemoryCorpus(rows, rows)
    tokenizer = Tokenizer(WORDS, WORDS, joint=True)
    found = calibrate(model, tokenizer, corpus, h, torch.device("cpu"))
    again = calibrate(model, tokenizer, corpus, h, torch.device("cpu"))
    assert found == again
    assert h.replace(**found.changes).length_penalty in (0.6, 1.0)
