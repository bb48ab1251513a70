"""What a study says of courses whose quality is known."""

from html.parser import HTMLParser

import numpy as np
import pytest

from longspan.pipelines.study.page import render_page, table_lines
from longspan.pipelines.study.results import measure_study
from longspan.training.errors import DataError
from longspan.training.evaluation import evaluate_translations
from longspan.training.evaluation_files import write_evaluation

LENGTHS = [8] * 6 + [15] * 12 + [120] * 12


def text(words, number):
    dice = np.random.default_rng(number)
    return " ".join(f"w{n}" for n in dice.integers(0, 500, words))


REFERENCES = [text(words, number) for number, words in enumerate(LENGTHS)]


def worse(reference, share, number):
    """A translation of which `share` of the words are wrong."""
    dice = np.random.default_rng(number)
    return " ".join("x" if dice.random() < share else word for word in reference.split())


def evaluated(folder, medium, long, references=REFERENCES, seed=0):
    """The evaluation of a model with these shares of wrong words."""
    given = [
        worse(reference, long if words > 100 else medium, 1000 * seed + number)
        for number, (reference, words) in enumerate(zip(references, LENGTHS, strict=True))
    ]
    result = evaluate_translations(REFERENCES, references, given, tokenize="none", resamples=5)
    write_evaluation(folder, result)
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
        }
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
    lines = list(table_lines(result))
    assert "over 100" in lines[0]
    assert "1-5" not in lines[0]
    assert lines[4].endswith("cures")
    page = render_page(result, "Which <course>?", "1 minute")
    assert "Cures: the &lt;cures&gt; one. Helps, and does not cure: the &lt;helps&gt; one." in page
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(page)
    assert not any({"src", "href"} & attributes.keys() for _, attributes in tags)
    assert sum(tag == "polyline" for tag, _ in tags) == 4
    assert result.to_json()["courses"][3]["verdict"] == "cures"


def test_courses_must_be_measured_alike(tmp_path):
    first = evaluated(tmp_path / "a", 0.1, 0.1)
    other = evaluated(tmp_path / "b", 0.1, 0.1, [text(n, 99 + n) for n in LENGTHS])
    with pytest.raises(DataError, match="2 tests"):
        measure_study({("a", "a"): [first], ("b", "b"): [other]})
    with pytest.raises(DataError, match=r"\[1, 2\] seeds"):
        measure_study({("a", "a"): [first], ("b", "b"): [first, first]})
