"""The page is made of what a real evaluation wrote."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from longspan.training.evaluation import evaluate_translations
from longspan.training.evaluation_files import write_evaluation
from longspan.training.report import write_report

SOURCES = [" ".join(["word"] * n) for n in (3, 8, 15, 120)]
REFERENCES = [f"a b c d {'e f ' * n}." for n in (1, 2, 4, 30)]
TRANSLATIONS = ["a b c d e f .", "a b c d e f e f .", "<script>alert(1)</script>", "a\tb"]


class Page(HTMLParser):
    """Collects what the tests ask for; a page that is not closed properly shows as depth."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def written(directory: Path, *, compared: bool) -> Page:
    evaluation = evaluate_translations(SOURCES, REFERENCES, TRANSLATIONS, resamples=20)
    against = evaluate_translations(SOURCES, REFERENCES, ["a b"] * 4, resamples=20)
    write_evaluation(directory, evaluation, against=against if compared else None)
    return Page(write_report(directory, "My <model>").read_text(encoding="utf-8"))


@pytest.mark.parametrize("compared", [False, True])
def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path, compared: bool):
    page = written(tmp_path, compared=compared)
    assert "script" not in page.tags
    assert page.links == []
    assert page.tags.count("svg") == 4


def test_texts_are_shown_as_they_are_and_never_as_markup(tmp_path: Path):
    page = written(tmp_path, compared=True)
    assert "My <model>" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert "a\tb" in page.text


def test_a_baseline_adds_its_line_and_its_columns(tmp_path: Path):
    alone = written(tmp_path / "alone", compared=False)
    compared = written(tmp_path / "compared", compared=True)
    assert "baseline" not in alone.text
    assert compared.tags.count("polyline") == 2 * alone.tags.count("polyline")
    assert compared.tags.count("th") == alone.tags.count("th") + 2


def test_every_length_with_segments_has_an_example(tmp_path: Path):
    assert written(tmp_path, compared=False).tags.count("summary") == 4


def test_a_missing_evaluation_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(OSError, match=r"evaluation\.json"):
        write_report(tmp_path, "x")
