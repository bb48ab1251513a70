"""What repeats itself ends early, the same in every search, and nothing else does."""

from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longspan.inference.compression.compressed_model import CompressedModel
from longspan.inference.search.beams import Beams
from longspan.inference.search.loops import LEAST, LONGEST_PERIOD, REPEATS, Loops
from longspan.inference.search.search import SearchSettings, search
from longspan.inference.search.spelling import Spelling
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model
from longspan.training.model.output_length import length_factor
from longspan.training.tokenizer.tokenizer import EOS

LONGER = 16  # steps between two looks


def is_loop(ids, least=0):
    """In plain loops."""
    for period in range(1, LONGEST_PERIOD + 1):
        size = max(LEAST, REPEATS * period, least)
        tail = ids[-size:]
        if len(tail) == size and all(a == b for a, b in zip(tail, tail[period:], strict=False)):
            return True
    return False


def texts():
    """Outputs that loop or nearly do."""
    token = st.integers(4, 7)
    gram = st.lists(token, min_size=1, max_size=40)
    stretch = st.tuples(gram, st.integers(1, 30)).map(lambda one: one[0] * one[1])
    return st.lists(st.one_of(stretch, st.lists(token, max_size=9)), min_size=1, max_size=3).map(
        lambda parts: list(chain.from_iterable(parts))[:300]
    )


@settings(max_examples=50, deadline=None)
@given(texts(), texts(), st.randoms())
def test_a_loop_is_found_where_plain_loops_find_it(one, other, random):
    """The rows change places meanwhile."""
    size = min(len(one), len(other))
    rows, loops = [0, 1], Loops(np.full((2, 3), 9), np.array([3, 3]))
    for step in range(size):
        order = random.sample([0, 1], 2)
        rows = [rows[i] for i in order]
        tokens = np.array([(one, other)[row][step] for row in rows])
        if loops.are_due:
            said = [(one, other)[row][: step + 1] for row in rows]
            found = loops.found(np.array(order), tokens, np.array(rows))
            assert found.tolist() == [is_loop(ids) for ids in said]
        loops.grow(np.array(order), tokens)


@pytest.mark.parametrize("times", [2, 3, 20, 200])
def test_what_the_source_repeats_may_come_twice_as_long(times):
    source = np.array([[8, *[4, 5] * times, 6, EOS]])
    loops, row = Loops(source, np.array([source.shape[1]])), np.array([0])
    found = None
    for step in range(500):
        token = np.array([7 + step % 2])
        if loops.are_due and found is None and loops.found(row, token, row)[0]:
            found = step + 1
        loops.grow(row, token)
    allowed = {2: LEAST, 3: LEAST, 20: 80}.get(times)
    assert found is None if allowed is None else allowed <= found < allowed + LONGER


def looping_model(vocabulary=40, seed=0, **changes):
    """Random weights that find no end."""
    sizes = ("rnn_num_hidden", "num_embed_source", "num_embed_target", "attention_dimension")
    h = Hyperparameters.parse(dict.fromkeys(sizes, "64") | changes)
    torch.manual_seed(seed)
    model = Model(h, vocabulary, vocabulary)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.4)
        model.projection.bias[EOS] = -100.0
    return model.eval(), h


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("beam", [1, 2, 5])
def test_a_looping_output_ends_and_says_so(sources, beam, compressed):
    model, h = looping_model()
    if compressed:
        model = CompressedModel(model, h)
    source, lengths = sources([4, 100, 90, 200], 40)
    options = SearchSettings(beam_size=beam, length_penalty=0.6, n_best=beam, with_alignment=True)
    limits = options.limits(lengths.tolist())
    found = search(model, source, lengths, options, Spelling())
    loops = 0
    for row, hypotheses in enumerate(found):
        best = hypotheses[0]
        assert not best.finished
        assert best.looping == (len(best.ids) < limits[row])
        assert len(best.ids) <= limits[row]
        assert len(best.alignment) == len(best.ids)
        loops += best.looping
        [alone] = search(
            model,
            source[row : row + 1, : lengths[row]],
            lengths[row : row + 1],
            options,
            Spelling(),
        )
        assert [(h.ids, h.looping) for h in alone] == [(h.ids, h.looping) for h in hypotheses]
    assert loops >= 2


def test_greedy_search_ends_where_beams_of_one_do(sources, monkeypatch):
    source, lengths = sources([40, 100, 90], 40)
    for seed in range(3):
        model, _ = looping_model(seed=seed)
        quick = search(model, source, lengths, SearchSettings(beam_size=1), Spelling())
        with monkeypatch.context() as patched:
            patched.setattr("longspan.inference.search.search.GreedyBeams", Beams)
            slow = search(model, source, lengths, SearchSettings(beam_size=1), Spelling())
        assert [(h[0].ids, h[0].looping) for h in quick] == [(h[0].ids, h[0].looping) for h in slow]


def test_an_output_that_must_be_long_may_loop(sources):
    source, lengths = sources([40], 40)
    model, _ = looping_model()
    [[free]] = search(model, source, lengths, SearchSettings(beam_size=1), Spelling())
    [[long]] = search(
        model, source, lengths, SearchSettings(beam_size=1, min_length=90), Spelling()
    )
    assert free.looping
    assert len(free.ids) < 90 <= len(long.ids)


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("period", [1, 3, 7, LONGEST_PERIOD])
def test_a_loop_ends_soon_after_it_shows(table_model, sources, period, beam):
    """Of a model that says the same tokens in turn, until the limit would end it."""
    model = table_model(40, attention=False)
    model.table[...] = -9.0
    model.table[:, :, 4] = 0.0
    for token in range(4, 4 + period):
        model.table[:, token, 4] = -9.0
        model.table[:, token, 4 + (token - 3) % period] = 9.0
    source, lengths = sources([300, 400], 40)
    shows = max(LEAST, REPEATS * period)
    for [best] in search(model, source, lengths, SearchSettings(beam_size=beam), Spelling()):
        assert best.looping
        assert shows <= len(best.ids) < shows + LONGER + 1


def rows_of(model, source, lengths, options):
    """Rows that the decoder goes through, all steps together."""
    model.rows = 0
    step = type(model).step

    class Counting(type(model)):
        def step(self, previous, *rest):
            self.rows += len(previous)
            return step(self, previous, *rest)

    model.__class__ = Counting
    search(model, source, lengths, options, Spelling())
    return model.rows


@pytest.mark.parametrize("size", [0, 2])
@pytest.mark.parametrize("beam", [1, 5])
def test_a_bad_model_costs_at_most_twice_a_good_one(sources, beam, size, monkeypatch):
    """Of a test by length. A good model's outputs are as long as the sources, as in training; a bad
    one finds no end, be it in a loop or, where n-grams are barred, without one."""
    source, lengths = sources([5, 10, 18, 30, 50, 70, 100, 150], 40)
    good = beam * int(lengths.sum())
    factor = length_factor(lengths.numpy(), lengths.numpy())
    options = SearchSettings(beam_size=beam, max_length_factor=factor, no_repeat_ngram_size=size)
    for seed in range(3):
        bad, _ = looping_model(seed=seed)
        rows = rows_of(bad, source, lengths, options)
        assert rows <= 2 * good
        if not size:
            with monkeypatch.context() as patched:
                patched.setattr(Loops, "are_due", False)
                assert rows < rows_of(bad, source, lengths, options)
