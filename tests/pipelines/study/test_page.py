"""`study.html` in headless Chromium, on a desk and on a phone."""

import pytest

from longspan.pipelines.study.page import render_page
from longspan.pipelines.study.results import CourseResult, Figure, StudyResult
from longspan.training.buckets import BUCKETS
from tests.page_checks import DESKTOP, PHONE, readable, show

TITLES = (
    "fixed vector (baseline)", "n-gram preprocessing", "larger network", "attention",
    "other weight initialisation", "larger batches",
)  # fmt: skip


EARLY = ("seed 2: training ended early: max_minutes=3 was reached after 534 of 900 updates",)


def course(number, title):
    """Attention stays at 90, the others fall to nothing."""
    cured = title == "attention"
    values = [90.0 if cured else 90.0 / (1 + n) ** 2 for n in range(len(BUCKETS))]
    buckets = {
        b.name: Figure(v, v - 3, v + 3) for b, v in zip(BUCKETS, values, strict=True)
    }  # fmt: skip
    gain = None if number == 0 else Figure(values[-1] - 1.4, -0.2 + 80 * cured, 4.0 + 90 * cured)
    return CourseResult(
        f"c{number}",
        title,
        buckets,
        (1.0, 2.0),
        gain,
        values[-1] / 90,
        1234.0,
        67.0,
        EARLY if title == "larger network" else (),
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    courses = tuple(course(number, title) for number, title in enumerate(TITLES))
    signature = "nrefs:1|case:mixed|eff:no|tok:ja-mecab-0.996-IPA|smooth:exp|version:2.6.0"
    result = StudyResult(courses, "11-20", "over 100", 3, signature, "max_num_batches=9")
    path = tmp_path_factory.mktemp("study") / "study.html"
    path.write_text(render_page(result, "Which course cures? a-pipeline"), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_it_is_readable(page, url, width, dark):
    readable(show(page, url, width, dark=dark), width)


def test_the_answer_the_lines_and_the_table_are_there(page, url):
    show(page, url, DESKTOP)
    answer = page.evaluate("document.querySelector('.answer').textContent")
    assert answer.startswith("Cures: attention. Does not cure: n-gram preprocessing, larger")
    warnings = page.evaluate("[...document.querySelectorAll('.warning')].map(e => e.textContent)")
    assert warnings == [f"larger network, {EARLY[0]}"]
    strokes = page.evaluate(
        "[...document.querySelectorAll('polyline')].map(e => getComputedStyle(e).stroke)"
    )
    assert len(set(strokes)) == len(TITLES)
    assert "none" not in strokes
    swatches = page.evaluate(
        "[...document.querySelectorAll('.swatch')].map(e => getComputedStyle(e).borderTopColor)"
    )
    assert swatches == strokes
    rows = page.evaluate("document.querySelectorAll('tbody tr').length")
    assert rows == len(TITLES)
