"""The page is made of what a real evaluation wrote."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from longspan.inference.evaluation.evaluation import evaluate_translations
from longspan.inference.evaluation.evidence import add_evidence, read_evidence
from longspan.inference.evaluation.files import read_evaluation, write_evaluation
from longspan.inference.evaluation.report import write_report
from longspan.inference.evaluation.table import render_table
from longspan.pipelines.runs.results import evaluation_lines

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


@pytest.mark.parametrize("least", [0.0, 99.0])
def test_the_share_kept_is_shown_where_it_says_something(tmp_path: Path, least: float):
    lengths = [15] * 20 + [120] * 20
    sources = [" ".join(f"w{n}" for n in range(length)) for length in lengths]
    given = [source.replace("w3 ", "x ") for source in sources]
    good, other = (
        evaluate_translations(sources, sources, given, tokenize="none", resamples=2, least_bleu=b)
        for b in (least, 0.0)
    )
    write_evaluation(tmp_path, good, against=other)
    page = Page(write_report(tmp_path, "x").read_text(encoding="utf-8"))
    lines = list(evaluation_lines(read_evaluation(tmp_path)))
    for text in (page.text, "\n".join(lines), render_table(good)):
        assert ("kept, over 100" in text) == (least == 0)
    assert ("the share kept would say nothing" in page.text) == (least > 0)


def test_every_length_with_segments_has_an_example(tmp_path: Path):
    assert written(tmp_path, compared=False).tags.count("summary") == 4


def test_a_missing_evaluation_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(OSError, match=r"evaluation\.json"):
        write_report(tmp_path, "x")


def history(updates):
    return [{"updates": n, "validation:loss": 9.0 / n, "train:loss": 8.0 / n} for n in updates]


ALIGNMENT = {
    "words": 120, "source": "a <b>", "reference": "r", "translation": "t", "rows": ["\u2581t", "u"],
    "columns": ["\u2581a", "b", "</s>"], "weights": [[0.5, 0.5, 0.0], [0.0, 0.1, 0.9]],
}  # fmt: skip


def tuning(count):
    jobs = [
        {"name": f"job-{i}", "status": "Completed", "objective": float(i % 2), "hyperparameters":
         {"attention_type": ["dot", "additive"][i % 2]}} for i in range(count)
    ]  # fmt: skip
    failed = {"name": "f", "status": "Failed", "objective": None, "hyperparameters": {}}
    return {"metric": "validation:bleu_long", "jobs": [*jobs, failed]}


def test_evidence_adds_its_sections(tmp_path: Path):
    plain = written(tmp_path, compared=True)
    settings = {"attention_type": "none", "batch_tokens": None}
    add_evidence(
        tmp_path,
        {
            "model": {"history": history([1, 2, 3]), "hyperparameters": settings},
            "against": {"history": history([2, 4]), "hyperparameters": settings},
            "alignment": ALIGNMENT,
        },
    )
    add_evidence(tmp_path, {"tuning": tuning(10), "config_sha256": "0a1b"})
    page = written(tmp_path, compared=True)
    assert "attention_type100%" in page.text.replace("\n", "")
    assert "config_sha256\n" in page.text or "config_sha2560a1b" in page.text
    for text in (
        "Attention on a sentence of 120 words",
        "a <b>",
        "validation:loss by updates",
        "The search",
        "each hyperparameter explains by itself",
        "batch_tokens",
    ):
        assert text in page.text
        assert text not in plain.text
    assert page.tags.count("svg") == plain.tags.count("svg") + 4  # heat map, search, two curves
    assert "script" not in page.tags
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert len(page.links) == 1


def test_a_figure_to_be_small_is_best_where_it_is_smallest(tmp_path: Path):
    written(tmp_path, compared=False)
    for direction, first in (("Maximize", "2"), ("Minimize", "1")):
        add_evidence(tmp_path, {"tuning": tuning(10) | {"direction": direction}})
        page = written(tmp_path, compared=False)
        rows = page.text[page.text.index("jobvalidation:bleu_long") :]
        assert re.findall(r"^(\d)", rows, re.MULTILINE)[0] == first


def test_the_hashes_of_both_systems_are_shown(tmp_path: Path):
    evaluation = evaluate_translations(SOURCES, REFERENCES, TRANSLATIONS, resamples=5)
    write_evaluation(
        tmp_path,
        evaluation,
        details={"test_sha256": "aa", "weights_sha256": "bb", "training_data_sha256": None},
        against=evaluation,
        against_details={"test_sha256": "aa", "weights_sha256": "cc"},
    )
    text = Page(write_report(tmp_path, "x").read_text(encoding="utf-8")).text
    assert text.count("test_sha256") == 1
    assert text.count("weights_sha256") == 2
    assert "baseline: weights_sha256cc" in text
    assert "training_data_sha256" not in text


def stopped_early(count):
    """Heads 1 are better from the beginning, but half of the jobs of each kind are stopped."""
    jobs = []
    for i in range(count):
        early, kind = i >= count // 2, i % 2
        curve = [[100, 10.0 - kind], [200, 20.0 - kind], [300, 30.0 - kind]][: 1 if early else 3]
        jobs.append(
            {
                "name": f"job-{i}", "status": "Stopped" if early else "Completed",
                "objective": curve[-1][1], "hyperparameters": {"attention_heads": str(1 + kind)},
                "updates": curve[-1][0], "curve": curve, "seconds": 1.0,
            }
        )  # fmt: skip
    return {"metric": "validation:bleu_long", "updates": 300, "jobs": jobs}


def test_jobs_that_were_stopped_early_are_compared_where_all_of_them_were(tmp_path: Path):
    written(tmp_path, compared=False)
    add_evidence(tmp_path, {"tuning": stopped_early(12)})
    page = written(tmp_path, compared=False)
    text = page.text.replace("\n", "")
    assert "attention_heads100%" in text, "at 100 updates nothing else makes a difference"
    assert "after 100 updates, which 12 jobs reached" in text
    assert "6 of 12 jobs were stopped early: their values are not final." in text
    rows = page.text[page.text.index("jobvalidation:bleu_long") :]
    assert rows.index("whole budget") < rows.index("stopped early, of 300")
    assert rows.rindex("whole budget") < rows.index("stopped early, of 300")


def test_without_curves_only_jobs_that_ended_by_themselves_are_compared(tmp_path: Path):
    written(tmp_path, compared=False)
    search = stopped_early(20)
    for job in search["jobs"]:
        job |= {"curve": [], "updates": None}
    add_evidence(tmp_path, {"tuning": search})
    text = written(tmp_path, compared=False).text
    assert "at the end of the 10 jobs that were not stopped" in text


def test_the_times_of_a_run(tmp_path: Path):
    written(tmp_path, compared=False)
    row = {"part": "trials", "planned": 200.0, "seconds": 190.2, "note": "9 trials"}
    add_evidence(tmp_path, {"times": [row, row | {"part": "rest", "planned": None}]})
    text = written(tmp_path, compared=False).text.replace("\n", "")
    assert "Where the time went" in text
    assert "trials3:203:109 trials" in text
    assert "rest3:109 trials" in text


def test_few_jobs_are_not_said_to_prove_anything(tmp_path: Path):
    written(tmp_path, compared=False)
    add_evidence(tmp_path, {"tuning": tuning(3)})
    assert "takes at least 8 jobs" in written(tmp_path, compared=False).text


def test_an_objective_of_0_in_every_job_is_said(tmp_path: Path):
    written(tmp_path, compared=False)
    add_evidence(tmp_path, {"tuning": tuning(1)})
    assert "validation:bleu_long is 0 in every job" in written(tmp_path, compared=False).text
    add_evidence(tmp_path, {"tuning": tuning(2)})
    assert "is 0 in every job" not in written(tmp_path, compared=False).text


def test_one_checkpoint_is_no_curve_and_no_attention_no_picture(tmp_path: Path):
    written(tmp_path, compared=False)
    add_evidence(tmp_path, {"model": {"history": history([5])}, "alignment": None})
    page = written(tmp_path, compared=False)
    assert page.links == []
    assert "by updates" not in page.text


def test_evidence_is_added_part_by_part(tmp_path: Path):
    assert read_evidence(tmp_path) == {}
    add_evidence(tmp_path, {"a": [1], "b": "\udc80"})
    add_evidence(tmp_path, {"a": [2]})
    assert read_evidence(tmp_path)["a"] == [2]
    assert set(read_evidence(tmp_path)) == {"a", "b"}
