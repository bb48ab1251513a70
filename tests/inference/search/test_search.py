"""Beam search against brute force, against greedy search, and against itself."""

import math

import numpy as np
import pytest
import torch

from longspan.inference.search.beams import Beams
from longspan.inference.search.search import SearchSettings
from longspan.inference.search.search import search as search_spelt
from longspan.inference.search.spelling import Spelling
from longspan.training.errors import HyperparameterError, LongspanError
from longspan.training.tokenizer.tokenizer import BOS, EOS, PAD, UNK


def search(model, source, lengths, settings):
    """Of a vocabulary of words."""
    return search_spelt(model, source, lengths, settings, Spelling())


PENALTIES = [(0.0, 0.0), (0.6, 0.0), (0.6, 0.2), (1.0, 1.0), (0.0, 0.5), (3.0, 0.1)]


@torch.no_grad()
def exhaustive(model, source, length, alpha, beta, limit, vocabulary):
    """Every output of up to `limit` tokens, EOS counted, in plain loops: (score, ids)."""
    memory = model.encode(source[None, :length], torch.tensor([length]))
    found = []

    def extend(ids, state, total, covered):
        previous = ids[-1] if ids else BOS
        logits, state, weights = model.step(torch.tensor([previous]), state, memory)
        chances = logits[0].double().log_softmax(0).tolist()
        covered = [c + float(weights[0, :, j].mean()) for j, c in enumerate(covered)]
        score = (total + chances[EOS]) / ((5 + len(ids) + 1) / 6) ** alpha
        score += beta * sum(math.log(min(c, 1.0)) for c in covered)
        found.append((score, ids))
        if len(ids) + 1 < limit:
            for token in (UNK, *range(4, vocabulary)):
                extend([*ids, token], state, total + chances[token], covered)

    extend([], model.initial_state(memory), 0.0, [0.0] * length)
    return sorted(found, reverse=True)


@pytest.mark.parametrize(("alpha", "beta"), PENALTIES)
@pytest.mark.parametrize("kind", ["table", "model"])
def test_a_huge_beam_finds_what_exhaustive_search_finds(
    table_model, tiny_model, sources, kind, alpha, beta
):
    vocabulary, limit = 6, 4
    model = table_model(vocabulary) if kind == "table" else tiny_model(vocabulary)
    source, lengths = sources([3, 5, 2], vocabulary)
    settings = SearchSettings(
        beam_size=300, length_penalty=alpha, coverage_penalty=beta, n_best=4, max_length=limit
    )
    found = search(model, source, lengths, settings)
    for row, hypotheses in enumerate(found):
        truth = exhaustive(model, source[row], int(lengths[row]), alpha, beta, limit, vocabulary)
        assert [h.ids for h in hypotheses] == [ids for _, ids in truth[:4]]
        assert [h.score for h in hypotheses] == pytest.approx([s for s, _ in truth[:4]], abs=1e-5)


def repeats(ids, size):
    """Whether an n-gram of this size comes twice."""
    found = [tuple(ids[i : i + size]) for i in range(len(ids) - size + 1)]
    return len(found) > len(set(found))


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("kind", ["table", "model"])
def test_of_what_repeats_nothing_the_best_is_found(table_model, tiny_model, sources, kind, size):
    model = table_model(6) if kind == "table" else tiny_model(6)
    source, lengths = sources([3, 5], 6)
    settings = SearchSettings(
        beam_size=300,
        length_penalty=0.6,
        coverage_penalty=0.1,
        n_best=4,
        max_length=5,
        no_repeat_ngram_size=size,
    )
    for row, hypotheses in enumerate(search(model, source, lengths, settings)):
        truth = exhaustive(model, source[row], int(lengths[row]), 0.6, 0.1, 5, 6)
        fit = [ids for _, ids in truth if not repeats(ids, size)]
        assert [h.ids for h in hypotheses] == fit[:4]


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("beam", [1, 2, 5])
def test_no_n_gram_comes_twice(table_model, sources, beam, size):
    """Of a model that would go on forever, so that nothing but the limit ends it."""
    model = table_model(12)
    model.table[..., EOS] = -10.0
    source, lengths = sources([3, 8, 5], 12)
    settings = SearchSettings(beam_size=beam, max_length=40, no_repeat_ngram_size=size)
    longest = 0
    for (best, *_), (free, *_) in zip(
        search(model, source, lengths, settings),
        search(model, source, lengths, SearchSettings(beam_size=beam, max_length=40)),
        strict=True,
    ):
        assert repeats(free.ids, size)
        assert not repeats(best.ids, size)
        longest = max(longest, len(best.ids))
    assert longest == (9 if size == 1 else 40)  # every token once, then the end


def test_a_hypothesis_with_nothing_new_to_say_repeats_itself(table_model, sources):
    source, lengths = sources([3, 8], 6)
    settings = SearchSettings(beam_size=3, min_length=9, max_length=10, no_repeat_ngram_size=1)
    for hypotheses in search(table_model(6), source, lengths, settings):
        assert len(hypotheses[0].ids) >= 9


@pytest.mark.parametrize("kind", ["table", "model"])
def test_beam_one_is_greedy_search(table_model, tiny_model, sources, kind):
    for seed in range(8):
        model = table_model(seed=seed) if kind == "table" else tiny_model(seed=seed)
        source, lengths = sources([4, 7, 2, 5], seed=seed)
        settings = SearchSettings(
            beam_size=1,
            length_penalty=0.6,
            coverage_penalty=0.3,
            max_length_factor=1.0,
            max_length_offset=3,
        )
        found = search(model, source, lengths, settings)
        for row, length in enumerate(lengths.tolist()):
            memory = model.encode(source[row : row + 1, :length], lengths[row : row + 1])
            state, previous, ids, finished = model.initial_state(memory), BOS, [], False
            while not finished and len(ids) < length + 3:
                logits, state, _ = model.step(torch.tensor([previous]), state, memory)
                logits[:, [PAD, BOS]] = -torch.inf
                previous = int(logits.argmax())
                finished = previous == EOS
                ids += [] if finished else [previous]
            assert found[row][0].ids == ids
            assert found[row][0].finished == finished


def same(left, right):
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert [h.ids for h in one] == [h.ids for h in other]
        assert [h.finished for h in one] == [h.finished for h in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-5)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a.alignment, b.alignment, atol=1e-5)


@pytest.mark.parametrize("kind", ["table", "model", "recurrent", "feeding"])
@pytest.mark.parametrize("beam", [1, 2, 5])
def test_batched_equals_unbatched_in_any_order(table_model, tiny_model, sources, kind, beam):
    model = {
        "table": lambda: table_model(),
        "model": lambda: tiny_model(),
        "recurrent": lambda: tiny_model(coverage_mechanism="recurrent"),
        "feeding": lambda: tiny_model(input_feeding="true"),
    }[kind]()
    source, lengths = sources([4, 9, 1, 6, 13, 2])
    settings = SearchSettings(
        beam_size=beam,
        length_penalty=0.6,
        coverage_penalty=0.2,
        n_best=min(beam, 3),
        with_alignment=True,
    )
    together = search(model, source, lengths, settings)
    alone = [
        search(model, source[i : i + 1, :n], lengths[i : i + 1], settings)[0]
        for i, n in enumerate(lengths.tolist())
    ]
    same(together, alone)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    shuffled = search(model, source[order], lengths[order], settings)
    same(shuffled, [together[i] for i in order])


@pytest.mark.parametrize("kind", ["table", "model"])
def test_n_best_is_sorted_distinct_and_clean(table_model, tiny_model, sources, kind):
    model = table_model() if kind == "table" else tiny_model()
    source, lengths = sources([4, 7, 2, 8])
    settings = SearchSettings(
        beam_size=6,
        length_penalty=0.6,
        coverage_penalty=0.1,
        n_best=6,
        max_length_factor=1.0,
        max_length_offset=0,
    )
    for hypotheses in search(model, source, lengths, settings):
        assert len(hypotheses) == 6
        keys = [(h.finished, h.score) for h in hypotheses]
        assert keys == sorted(keys, reverse=True)
        assert len({(tuple(h.ids), h.finished) for h in hypotheses}) == 6
        assert not {PAD, BOS, EOS} & {i for h in hypotheses for i in h.ids}


def test_no_narrow_beam_beats_the_exhaustive_one(table_model, sources):
    source, lengths = sources([3, 4, 5, 6, 7, 8, 9, 10])
    best = search(
        table_model(),
        source,
        lengths,
        SearchSettings(beam_size=400, length_penalty=0.6, coverage_penalty=0.1, max_length=5),
    )
    for beam in (1, 2, 3, 10):
        settings = SearchSettings(
            beam_size=beam, length_penalty=0.6, coverage_penalty=0.1, max_length=5
        )
        for narrow, wide in zip(
            search(table_model(), source, lengths, settings), best, strict=True
        ):
            assert narrow[0].score <= wide[0].score + 1e-9 or not narrow[0].finished


def test_pad_and_bos_never_come_out_even_where_they_are_likeliest(table_model, sources):
    model = table_model()
    model.table[..., [PAD, BOS]] = 50.0
    source, lengths = sources([4, 6])
    for hypotheses in search(model, source, lengths, SearchSettings(beam_size=4, n_best=4)):
        for hypothesis in hypotheses:
            assert not {PAD, BOS, EOS} & set(hypothesis.ids)


def test_what_reaches_the_limit_is_returned_as_unfinished(table_model, sources):
    model = table_model()
    model.table[..., EOS] = -1e6
    source, lengths = sources([3, 6])
    settings = SearchSettings(beam_size=3, n_best=2, max_length_factor=2.0, max_length_offset=1)
    for hypotheses, length in zip(search(model, source, lengths, settings), (3, 6), strict=True):
        assert [h.finished for h in hypotheses] == [False, False]
        assert [len(h.ids) for h in hypotheses] == [2 * length + 1] * 2


def test_finished_hypotheses_come_before_unfinished_ones(table_model, sources):
    model = table_model()
    model.table[..., EOS] = -1e6
    model.table[:, BOS, EOS] = 0.0  # the one way to end is at once
    source, lengths = sources([3])
    [hypotheses] = search(
        model, source, lengths, SearchSettings(beam_size=5, n_best=3, max_length=4)
    )
    assert [h.finished for h in hypotheses] == [True, False, False]
    assert hypotheses[0].ids == []
    assert hypotheses[1].score >= hypotheses[2].score


def test_an_early_end_in_the_middle_does_not_stop_a_good_long_hypothesis(table_model, sources):
    """EOS is second best at every full stop; the text as a whole scores better."""
    model = table_model(6)
    model.table[:] = -20.0
    model.table[:, :, 4] = 5.0
    model.table[:, :, EOS] = 2.0  # at every step, so a beam of 2 finishes one each time
    model.table[model.PERIOD - 1, :, EOS] = 30.0
    source = torch.tensor([[11, 3]])  # key 14: phase 3 first, 10 after 7 tokens
    [[best]] = search(
        model, source, torch.tensor([2]), SearchSettings(beam_size=2, length_penalty=1.0)
    )
    assert best.ids == [4] * 7


def test_min_length_keeps_eos_away(table_model, sources):
    model = table_model()
    model.table[..., EOS] = 40.0
    source, lengths = sources([3, 4])
    found = search(model, source, lengths, SearchSettings(beam_size=3, min_length=2))
    assert [len(h[0].ids) for h in found] == [2, 2]


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("least", [0, 1, 7, 40])
def test_every_output_has_the_least_length_whatever_its_source(tiny_model, sources, beam, least):
    model = tiny_model()
    with torch.no_grad():
        model.projection.bias[EOS] = 30.0
    source, lengths = sources([1, 3, 9])
    factor = {"max_length_factor": 1.0, "max_length_offset": 0}
    settings = SearchSettings(beam_size=beam, min_length=least, **factor)
    for [best, *_] in search(model, source, lengths, settings):
        assert (len(best.ids), best.finished) == (least, True)


def test_the_most_length_of_any_output_is_above_the_least_one():
    settings = SearchSettings(min_length=30, max_length_factor=1.0, max_length_offset=5)
    assert settings.limits([3, 25, 40]) == [31, 31, 45]
    assert SearchSettings(min_length=4, max_length=4).limits([3, 25]) == [4, 4]


def test_finished_sentences_leave_the_batch(table_model, sources):
    model = table_model()
    source, lengths = sources([2, 30])
    search(
        model,
        source,
        lengths,
        SearchSettings(beam_size=4, max_length_factor=1.0, max_length_offset=0),
    )
    assert model.rows[:2] == [2, 8]  # one hypothesis a sentence at first
    assert model.rows[-1] == 4


def test_alignment_is_the_attention_of_each_token_averaged_over_heads(tiny_model, sources):
    model = tiny_model()
    source, lengths = sources([5, 8])
    settings = SearchSettings(beam_size=4, n_best=2, with_alignment=True)
    for row, hypotheses in enumerate(search(model, source, lengths, settings)):
        length = int(lengths[row])
        memory = model.encode(source[row : row + 1, :length], lengths[row : row + 1])
        for hypothesis in hypotheses:
            target = torch.tensor([[BOS, *hypothesis.ids]])
            weights = model.decode(target, memory).weights[0].mean(0)[: len(hypothesis.ids)]
            np.testing.assert_allclose(hypothesis.alignment, weights.detach(), atol=1e-5)
            assert hypothesis.alignment.shape == (len(hypothesis.ids), length)


def test_without_attention_coverage_is_refused_and_the_rest_works(table_model, tiny_model, sources):
    source, lengths = sources([3, 4])
    fixed = tiny_model(attention_type="none", attention_heads="1")
    for model in (table_model(attention=False), fixed):
        with pytest.raises(
            HyperparameterError, match=r"coverage_penalty=0\.2: expected a model with attention"
        ):
            search(model, source, lengths, SearchSettings(beam_size=2, coverage_penalty=0.2))
        assert (
            len(search(model, source, lengths, SearchSettings(beam_size=2, with_alignment=True)))
            == 2
        )


def test_nothing_is_asked_of_the_model_for_no_sentences(table_model):
    empty = torch.zeros(0, 0, dtype=torch.long)
    assert search(table_model(), empty, torch.zeros(0, dtype=torch.long), SearchSettings()) == []


def test_output_that_is_not_a_number_is_an_error(table_model, sources):
    model = table_model()
    model.table[:] = torch.nan
    source, lengths = sources([3])
    with pytest.raises(LongspanError, match="not a number"):
        search(model, source, lengths, SearchSettings(beam_size=2))


def test_a_source_of_two_thousand_words(tiny_model, sources):
    model = tiny_model(vocabulary=50)
    source, lengths = sources([2001, 3], vocabulary=50)
    with torch.no_grad():
        model.projection.bias[EOS] = -30.0  # so that only the limit ends it
    settings = SearchSettings(
        beam_size=2, max_length_factor=0.1, max_length_offset=0, min_length=200, with_alignment=True
    )
    long, short = search(model, source, lengths, settings)
    assert len(long[0].ids) == 201
    assert long[0].alignment.shape == (201, 2001)
    np.testing.assert_allclose(long[0].alignment.sum(1), 1, atol=1e-4)
    assert len(short[0].ids) == 201  # its own limit is lower, and rises to the least length


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"beam_size": 0}, "beam_size: expected an integer of at least 1, got 0"),
        ({"n_best": 9}, "n_best: expected at most beam_size=5, got 9"),
        ({"length_penalty": -1.0}, "length_penalty: expected .*, got -1"),
        ({"coverage_penalty": float("nan")}, "coverage_penalty: expected .*, got nan"),
        ({"max_length": 0}, "max_length: expected .*, got 0"),
        ({"no_repeat_ngram_size": -1}, "no_repeat_ngram_size: expected .*, got -1"),
        ({"min_length": -1}, "min_length: expected an integer of at least 0, got -1"),
        ({"min_length": 8, "max_length": 7}, "min_length: expected at most max_length=7, got 8"),
    ],
)
def test_settings_without_sense_are_refused_by_name(setting, message):
    with pytest.raises(HyperparameterError, match=message):
        SearchSettings(**setting)


@pytest.mark.parametrize("kind", ["table", "model"])
def test_greedy_search_is_what_beams_of_one_are(
    table_model, tiny_model, sources, kind, monkeypatch
):
    for seed in range(6):
        model = table_model(seed=seed) if kind == "table" else tiny_model(seed=seed)
        source, lengths = sources([4, 7, 2, 5], seed=seed)
        settings = SearchSettings(
            beam_size=1,
            length_penalty=0.6,
            coverage_penalty=0.3,
            max_length_factor=1.0,
            max_length_offset=2,
            with_alignment=True,
        )
        quick = search(model, source, lengths, settings)
        with monkeypatch.context() as patched:
            patched.setattr("longspan.inference.search.search.GreedyBeams", Beams)
            same(quick, search(model, source, lengths, settings))
