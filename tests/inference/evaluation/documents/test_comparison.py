"""Figures of documents in pieces, against sacreBLEU on the rows and on outputs made by hand."""

import json
import re

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from longspan.inference.evaluation.bootstrap import ratio
from longspan.inference.evaluation.documents.charts import document_sections, documents_svg
from longspan.inference.evaluation.documents.comparison import compare_documents
from longspan.inference.evaluation.documents.files import DocumentFigures, document_figures
from longspan.inference.evaluation.documents.output import PieceOutput
from longspan.inference.evaluation.documents.pieces import read_documents, units_of
from longspan.inference.evaluation.documents.table import render_documents
from longspan.training.pairs.pairs import Pair
from longspan.training.scores import bleu_of

WORDS = [f"w{n}" for n in range(400)]


def sentence(generator):
    return " ".join(generator.choice(WORDS, size=generator.integers(6, 14))) + " ."


def changed(text, generator, share):
    """A translation of some quality: a share of the words is another one."""
    tokens = text.split()
    return " ".join(
        t if t == "." or generator.random() > share else str(generator.choice(WORDS))
        for t in tokens
    )


def make(documents=12, rows=10, share=0.1, lost=()):
    """Compare documents whose outputs in pieces are those of the rows alone, without rows `lost`.

    `lost` are places in the document.
    """
    generator = np.random.default_rng(3)
    pairs = [
        Pair(sentence(generator), sentence(generator), f"d{d}", line)
        for d in range(documents)
        for line in range(1, rows + 1)
    ]
    alone = [changed(pair.target, generator, share) for pair in pairs]
    test = read_documents(pairs)
    units = units_of(test, (40,))

    def outputs(unit):
        kept = [
            [alone[r] for r in p.rows if unit.name == "rows" or (r % rows) not in lost]
            for p in unit.pieces
        ]
        return [PieceOutput(" ".join(texts)) for texts in kept]

    found = [outputs(unit) for unit in units]
    return pairs, alone, compare_documents(test, units, found, found, "none", resamples=100)


def by_name(comparison):
    return {unit.unit: unit.compared for unit in comparison.units}


def test_nothing_lost_is_a_share_of_one_at_every_length():
    _, _, comparison = make()
    for unit in comparison.units:
        assert unit.compared.bleu_ratio.value == pytest.approx(1, abs=0.02)
        assert unit.compared.figures.omitted == unit.compared.figures.repeated == 0
    assert comparison.draws_documents
    places = [place for place in comparison.places if place.unit == "documents"]
    assert [place.fifth for place in places] == [1, 2, 3, 4, 5]
    assert sum(place.compared.rows for place in places) == 120


def test_rows_alone_score_what_sacrebleu_says():
    pairs, alone, comparison = make()
    references = [[pair.target for pair in pairs]]
    figures = by_name(comparison)["rows"].figures
    bleu = BLEU(tokenize="none", force=True).corpus_score(alone, references).score
    assert figures.bleu == pytest.approx(bleu)
    assert figures.chrf == pytest.approx(CHRF().corpus_score(alone, references).score)


def test_sentences_that_a_document_lacks_are_omitted_in_the_fifths_where_they_were():
    _, _, comparison = make(lost=(8, 9))
    whole = by_name(comparison)["documents"]
    assert whole.figures.omitted == 24
    assert whole.alone.omitted == 0
    assert whole.bleu_ratio.interval.low <= whole.bleu_ratio.value < 0.9
    fifths = {p.fifth: p.compared for p in comparison.places if p.unit == "documents"}
    assert fifths[1].figures.omitted == 0
    assert fifths[1].bleu_ratio.value == pytest.approx(1, abs=0.02)
    assert fifths[5].figures.omitted == sum(f.figures.omitted for f in fifths.values()) > 20


def test_a_sentence_said_again_is_repeated_but_not_where_the_reference_repeats_it():
    texts = ["one two three four five six .", "six five four three two one .",
             "one two three four five six ."]  # fmt: skip
    pairs = [Pair("a b c", text, "d", n) for n, text in enumerate(texts)]
    test = read_documents(pairs)
    units = units_of(test, ())
    alone = [PieceOutput(text) for text in texts]
    again = [PieceOutput(" ".join([texts[0], texts[0], texts[2]]))]
    comparison = compare_documents(test, units, [alone, again], [alone, again], "none")
    found = by_name(comparison)
    assert (found["rows"].figures.repeated, found["documents"].figures.repeated) == (0, 1)


def test_a_ratio_is_what_a_plain_loop_of_paired_resamples_gives():
    generator = np.random.default_rng(0)
    counts = generator.integers(1, 9, size=(2, 7, 10)).astype(float)
    counts[:, :, 2:6] = np.minimum(counts[:, :, 2:6], counts[:, :, 6:])
    drawn = np.random.default_rng(3)
    ratios = []
    for _ in range(200):
        rows = drawn.integers(7, size=7)
        ratios.append(bleu_of(counts[0, rows].sum(0)) / bleu_of(counts[1, rows].sum(0)))
    found = ratio(counts[0], counts[1], bleu_of, resamples=200, seed=3)
    assert found.value == pytest.approx(bleu_of(counts[0].sum(0)) / bleu_of(counts[1].sum(0)))
    bounds = found.interval.low, found.interval.high
    assert bounds == pytest.approx(tuple(np.percentile(ratios, [2.5, 97.5])))
    assert ratio(counts[0], 0 * counts[1], bleu_of) is None


def test_lengths_have_every_piece_once():
    pairs, _, comparison = make()
    words = [len(pair.source.split()) for pair in pairs]
    assert sum(length.pieces for length in comparison.lengths) == sum(
        unit.pieces for unit in comparison.units if not unit.split
    )
    short = [one for one in comparison.lengths if one.bucket.name == "11-20"]
    assert short[0].pieces == sum(11 <= n <= 20 for n in words)


def test_a_split_that_changes_nothing_is_not_shown():
    _, _, comparison = make()
    assert not any(unit.split for unit in comparison.units)


@pytest.mark.parametrize("documents", [2, 12])
def test_what_is_written_is_read_drawn_and_shown(documents):
    _, _, comparison = make(documents, lost=(4,))
    figures = json.loads(json.dumps(document_figures(comparison), allow_nan=False))
    DocumentFigures.read(figures)
    assert figures["resampled"] == ("documents" if documents == 12 else "rows")
    first, *_ = document_sections(figures)
    assert first["title"] == "The same text at any length"
    assert str(first["charts"][0]["svg"]) in documents_svg(figures)
    table = render_documents(comparison)
    share = figures["units"][-1]["bleu_ratio"]["value"]
    assert re.search(rf"^documents +{documents} .* {share:.3f} ", table, re.MULTILINE)
