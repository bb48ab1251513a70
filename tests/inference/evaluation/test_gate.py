"""The figures of the gate against sacreBLEU's, and what stands where there is nothing."""

import numpy as np
import pytest
import sacrebleu

from longspan.inference.evaluation.evaluation import evaluate_translations
from longspan.inference.evaluation.files import evaluation_document
from longspan.inference.evaluation.gate import gate_of
from longspan.training.buckets import LEAST_BLEU
from longspan.training.model.outcome import TrainingOutcome


def make(lengths, quality, least_bleu=LEAST_BLEU):
    generator = np.random.default_rng(0)
    references = [" ".join(generator.choice(list("abcdefgh"), size=n)) for n in lengths]
    hypotheses = [
        " ".join(t if generator.random() < quality else "x" for t in r.split()) for r in references
    ]
    return evaluate_translations(
        references, references, hypotheses, tokenize="none", resamples=10, least_bleu=least_bleu
    )


LENGTHS = [3, 8, 20, 21, 60, 150] * 20


def bleu_of(evaluation, holds):
    s = evaluation.segments
    chosen = [i for i, words in enumerate(s.words) if holds(words)]
    scorer = sacrebleu.BLEU(tokenize="none", force=True)
    hypotheses = [s.hypotheses[i] for i in chosen]
    return scorer.corpus_score(hypotheses, [[s.references[i] for i in chosen]]).score


def test_short_is_every_segment_up_to_20_words_together_and_long_what_the_objective_is():
    evaluation = make(LENGTHS, 0.8)
    gate = gate_of(evaluation)
    assert gate.bleu_short == pytest.approx(bleu_of(evaluation, lambda n: n <= 20))
    assert gate.bleu_long == evaluation.long.quality.bleu
    assert (gate.bleu_short_change, gate.bleu_long_change, gate.notes) == (0, 0, ())


def test_changes_are_gains_on_the_baseline():
    better, worse = make(LENGTHS, 0.9), make(LENGTHS, 0.6)
    gate, back = gate_of(better, worse), gate_of(worse, better)
    expected = bleu_of(better, lambda n: n > 100) - bleu_of(worse, lambda n: n > 100)
    assert gate.bleu_long_change == pytest.approx(expected)
    assert gate.bleu_short_change == pytest.approx(
        bleu_of(better, lambda n: n <= 20) - bleu_of(worse, lambda n: n <= 20)
    )
    assert gate.bleu_long_change > 0 > back.bleu_long_change
    assert gate_of(better, better).bleu_short_change == 0


def test_the_share_kept_is_of_11_to_20_words():
    evaluation = make(LENGTHS, 0.8)
    gate = gate_of(evaluation)
    medium = bleu_of(evaluation, lambda n: 11 <= n <= 20)
    assert gate.bleu_medium == pytest.approx(medium, abs=0.01)
    assert gate.share_kept == pytest.approx(gate.bleu_long / medium, abs=1e-3)
    assert evaluation.kept == pytest.approx(gate.share_kept, abs=1e-3)


def test_below_the_least_bleu_no_share_is_kept():
    medium = gate_of(make(LENGTHS, 0.8)).bleu_medium
    above, below = (make(LENGTHS, 0.8, least) for least in (medium - 0.1, medium + 0.1))
    assert (above.kept, below.kept) == (make(LENGTHS, 0.8).kept, None)
    assert gate_of(below).share_kept == 0
    assert gate_of(below).bleu_medium == medium
    assert [note for note in below.notes if f"below {medium + 0.1:g}" in note]
    document = evaluation_document(below, against=above)
    assert (document["kept"], document["against"]["kept"]) == (None, above.kept)
    assert document["metrics"]["least_bleu"] == medium + 0.1


def test_without_segments_of_11_to_20_words_long_ones_are_compared_with_shorter_ones():
    evaluation = make([5, 8, 150] * 20, 0.8)
    gate = gate_of(evaluation)
    assert gate.bleu_medium == pytest.approx(gate.bleu_short, abs=0.01)
    assert gate.share_kept == pytest.approx(gate.bleu_long / gate.bleu_short, abs=1e-3)
    assert evaluation.kept is None
    [note] = gate.notes
    assert "no segments of 11-20 source words" in note


@pytest.mark.parametrize(
    ("hypotheses", "distinct"),
    [
        (["same"] * 4, 0.333),
        (["u", "v", "w", "x"], 1.0),  # more than there are references
        (["u", "v", "u", "v"], 0.667),
    ],
)
def test_distinct_counts_translations_against_references(hypotheses, distinct):
    references = ["a", "a", "b", "c"]
    evaluation = evaluate_translations(["s"] * 4, references, hypotheses, resamples=2)
    assert gate_of(evaluation).figures["distinct"] == distinct


def test_nothing_short_is_zero_and_said():
    evaluation = make([30, 150], 0.8)
    gate = gate_of(evaluation, evaluation)
    assert (gate.bleu_short, gate.bleu_short_change) == (0.0, 0.0)
    assert (gate.bleu_medium, gate.share_kept) == (0.0, 0.0)
    [note] = gate.notes
    assert "no segments of at most 20 source words" in note
    document = evaluation_document(evaluation, against=evaluation)
    assert document["gate"] == gate.figures
    assert note in document["notes"]
    assert all(type(value) is float for value in document["gate"].values())


def test_a_model_that_says_nothing_has_figures_too():
    evaluation = evaluate_translations(["a b"], ["x y"], [""], tokenize="none", resamples=5)
    figures = evaluation_document(evaluation)["gate"]
    positive = {name: value for name, value in figures.items() if value}
    assert positive == {"distinct": 1.0, "training_complete": 1.0}


@pytest.mark.parametrize(
    ("ending", "figure", "notes"),
    [
        (TrainingOutcome(complete=True), 1.0, 0),
        (TrainingOutcome(complete=False), 0.0, 0),
        (TrainingOutcome(), 1.0, 1),
        (None, 1.0, 0),
    ],
)
def test_training_that_ended_early_is_a_zero_and_an_unknown_end_is_said(ending, figure, notes):
    evaluation = make(LENGTHS, 0.8)
    early = TrainingOutcome(complete=False)
    training = {"model": ending, "against": early}
    document = evaluation_document(evaluation, against=evaluation, training=training)
    assert document["gate"]["training_complete"] == figure
    said = [note for note in document["notes"] if "gate.training_complete is 1" in note]
    assert len(said) == notes
