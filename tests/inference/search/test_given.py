"""Targets that are given have the scores and the attention of a search that finds them."""

import numpy as np
import pytest
import torch

from longspan.inference.search.search import Search, SearchSettings, search
from longspan.inference.search.spelling import Spelling
from longspan.training.errors import LongspanError

SETTINGS = SearchSettings(
    beam_size=4, length_penalty=0.6, coverage_penalty=0.1, n_best=3, with_alignment=True,
    max_length_factor=1.0, min_length=2,
)  # fmt: skip
# Random models, of which some have no attention for a coverage penalty.
MODELS = {
    "table": None,
    "rnn": {},
    "tracking": {"attention_location": "tracking", "num_layers_decoder": "2"},
    "covered": {"coverage_mechanism": "recurrent", "input_feeding": "true"},
    "transformer": {"architecture": "transformer", "transformer_num_hidden": "8",
                    "transformer_heads": "2"},
    "none": {"attention_type": "none", "attention_heads": "1"},
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_given_target_scores_as_the_search_that_found_it(table_model, tiny_model, sources, name):
    changes = MODELS[name]
    model = table_model() if changes is None else tiny_model(**changes)
    settings = SETTINGS if name != "none" else SETTINGS.replace(coverage_penalty=0.0)
    source, lengths = sources([4, 9, 2, 6])
    found = [
        (row, hypothesis)
        for row, hypotheses in enumerate(search(model, source, lengths, settings, Spelling()))
        for hypothesis in hypotheses
    ]
    assert len(found) >= 8
    rows = torch.tensor([row for row, _ in found])
    targets = [hypothesis.ids for _, hypothesis in found]
    given = search(model, source[rows], lengths[rows], settings, Spelling(), targets)
    for [scored], (_, hypothesis) in zip(given, found, strict=True):
        assert scored.ids == hypothesis.ids
        assert scored.finished
        chances = scored.token_log_probabilities
        assert len(chances) == len(scored.ids) + 1
        assert sum(chances) == pytest.approx(scored.log_probability)
        assert scored.alignment.shape == hypothesis.alignment.shape
        assert np.allclose(scored.alignment, hypothesis.alignment, atol=1e-5)
        if hypothesis.finished:
            assert scored.log_probability == pytest.approx(hypothesis.log_probability, abs=1e-4)
            assert scored.score == pytest.approx(hypothesis.score, abs=1e-4)
        else:  # stopped at the limit, without the end token
            assert sum(chances[:-1]) == pytest.approx(hypothesis.log_probability, abs=1e-4)


def test_a_target_that_no_search_would_find_is_scored_to_its_end(tiny_model, sources):
    source, lengths = sources([5, 3])
    settings = SearchSettings(beam_size=1, max_length=2)
    targets = [[4] * 30, []]
    [long], [empty] = search(tiny_model(), source, lengths, settings, Spelling(), targets)
    assert long.ids == targets[0]
    assert len(long.token_log_probabilities) == 31
    assert empty.ids == []
    assert len(empty.token_log_probabilities) == 1
    assert all(chance < 0 for chance in (*long.token_log_probabilities, empty.log_probability))


def test_a_given_target_can_be_dropped(tiny_model, sources):
    source, lengths = sources([5, 3])
    going = Search(tiny_model(), source, lengths, SearchSettings(), Spelling(), [[4] * 30, [5]])
    going.step()
    going.drop(0)
    assert going.step() == [0, 1]
    assert going.running == 0
    [[dropped], [whole]] = going.hypotheses([0, 1])
    assert not dropped.finished
    assert whole.finished


def test_output_that_is_no_number_is_said(table_model, sources):
    model = table_model()
    model.table[:] = float("nan")
    source, lengths = sources([4])
    with pytest.raises(LongspanError, match="not a number"):
        search(model, source, lengths, SearchSettings(), Spelling(), [[4, 5]])
