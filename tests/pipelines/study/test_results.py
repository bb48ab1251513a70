"""What a study says of courses whose quality is known."""

import re
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

from longspan.inference.evaluation.evaluation import evaluate_translations
from longspan.inference.evaluation.evidence import add_evidence
from longspan.inference.evaluation.files import write_evaluation
from longspan.pipelines.study.page import render_page, study_lines
from longspan.pipelines.study.results import measure_study
from longspan.training.buckets import LEAST_BLEU
from longspan.training.errors import DataError
from longspan.training.model.outcome import TrainingOutcome

LENGTHS = [8] * 6 + [15] * 12 + [120] * 12


def text(words, number):
    dice = np.random.default_rng(number)
    return " ".join(f"w{n}" for n in dice.integers(0, 500, words))


REFERENCES = [text(words, number) for number, words in enumerate(LENGTHS)]


def worse(reference, share, number):
    """A translation of which `share` of the words are wrong."""
    dice = np.random.default_rng(number)
    return " ".join("x" if dice.random() < share else word for word in reference.split())


def evaluated(
    folder, medium, long, references=REFERENCES, seed=0, ending=None, least_bleu=LEAST_BLEU
):
    """The evaluation of a model with these shares of wrong words."""
    given = [
        worse(reference, long if words > 100 else medium, 1000 * seed + number)
        for number, (reference, words) in enumerate(zip(references, LENGTHS, strict=True))
    ]
    result = evaluate_translations(
        REFERENCES, references, given, tokenize="none", resamples=5, least_bleu=least_bleu
    )
    write_evaluation(folder, result, training={"model": ending})
    return folder


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    shares = {"fixed": (0.3, 0.6), "same": (0.3, 0.6), "helps": (0.1, 0.3), "cures": (0.1, 0.1)}
    return measure_study(
        {
            (name, f"the <{name}> one"): [
                evaluated(folder / f"{name}-{seed}", *share, seed=seed + 10 * number)
                for seed in (1, 2)
            ]
            for number, (name, share) in enumerate(shares.items())
        },
        "7 updates",
    )


def test_each_course_gets_its_verdict(result):
    verdicts = {course.name: course.verdict for course in result.courses}
    assert verdicts == {
        "fixed": "baseline", "same": "no cure", "helps": "helps", "cures": "cures"
    }  # fmt: skip
    assert (result.medium, result.long, result.seeds) == ("11-20", "over 100", 2)


def test_figures_lie_in_their_intervals(result):
    for course in result.courses:
        assert course.buckets["1-5"] is None
        figure = course.buckets["over 100"]
        assert figure.low <= figure.value <= figure.high
        assert np.mean(course.seeds) == pytest.approx(figure.value)


def test_table_and_page_say_it(result):
    lines = list(study_lines(result))
    assert "over 100" in lines[0]
    assert "1-5" not in lines[0]
    assert re.search(r" to \+[0-9.]+\): cures$", lines[4])
    answer = (
        "Cures: the <cures> one. Helps, and does not cure: the <helps> one. "
        "Does not cure: the <same> one."
    )
    assert lines[-1] == answer
    page = render_page(result, "Which <course>?")
    assert escape(answer, quote=False) in page
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(page)
    assert not any({"src", "href"} & attributes.keys() for _, attributes in tags)
    assert sum(tag == "polyline" for tag, _ in tags) == 4
    assert result.to_json()["courses"][3]["verdict"] == "cures"


def test_what_has_lost_its_medium_sentences_has_kept_nothing(tmp_path):
    folders = {"fixed": (0.1, 0.7), "ruined": (0.5, 0.5)}
    found = measure_study(
        {(name, name): [evaluated(tmp_path / name, *share)] for name, share in folders.items()},
        "7 updates",
    )
    ruined = found.courses[1]
    assert ruined.buckets["over 100"].value > 0.9 * ruined.buckets["11-20"].value
    assert ruined.kept < 0.5
    assert ruined.verdict == "helps"


def test_below_the_least_bleu_no_share_is_kept_and_nothing_cures(tmp_path):
    least = 50.0
    folders = {"fixed": (0.1, 0.7), "poor": (0.3, 0.3), "good": (0.1, 0.1)}
    found = measure_study(
        {
            (name, name): [evaluated(tmp_path / name, *share, least_bleu=least)]
            for name, share in folders.items()
        },
        "1 minutes",
    )
    fixed, poor, good = found.courses
    assert poor.buckets["11-20"].value < least < good.buckets["11-20"].value
    assert (poor.kept, poor.verdict, good.verdict) == (None, "helps", "cures")
    assert fixed.kept is not None
    [row] = [line for line in study_lines(found) if line.startswith("poor")]
    assert "%" not in row


def test_what_each_job_took_is_said(tmp_path):
    evaluations = {}
    for name, updates in (("fixed", 100), ("large", 40)):
        folders = [evaluated(tmp_path / f"{name}-{seed}", 0.1, 0.1) for seed in (1, 2)]
        for number, folder in enumerate(folders):
            entry = {"updates": updates + number, "seconds": 9.0, "cpu_seconds": 60.0}
            add_evidence(folder, {"model": {"history": [entry]}})
        evaluations[name, name] = folders
    found = measure_study(evaluations, "7 updates")
    assert [(c.updates, c.cpu_seconds) for c in found.courses] == [(100.5, 60), (40.5, 60)]
    assert any("Each training job had 7 updates" in x for x in study_lines(found))


def test_a_job_that_had_less_than_the_others_is_named(tmp_path):
    early = TrainingOutcome(
        complete=False,
        reason="max_minutes=3 was reached after 534 of 900 updates",
        updates=534,
        tokens=7,
    )
    folders = [
        evaluated(tmp_path / str(seed), 0.1, 0.1, ending=ending)
        for seed, ending in (
            (
                1,
                TrainingOutcome(
                    complete=True, reason="max_num_batches=900 reached", updates=900, tokens=9
                ),
            ),
            (2, early),
        )
    ]
    found = measure_study({("larger", "larger network"): folders}, "7 updates")
    line = f"larger network, seed 2: {early.early_line}"
    assert [one for one in study_lines(found) if "early" in one] == [line]
    assert render_page(found, "t").count(line) == 1
    assert found.to_json()["courses"][0]["early"] == [f"seed 2: {early.early_line}"]


def test_courses_must_be_measured_alike(tmp_path):
    first = evaluated(tmp_path / "a", 0.1, 0.1)
    other = evaluated(tmp_path / "b", 0.1, 0.1, [text(n, 99 + n) for n in LENGTHS])
    with pytest.raises(DataError, match="2 tests"):
        measure_study({("a", "a"): [first], ("b", "b"): [other]}, "")
    with pytest.raises(DataError, match=r"\[1, 2\] seeds"):
        measure_study({("a", "a"): [first], ("b", "b"): [first, first]}, "")
