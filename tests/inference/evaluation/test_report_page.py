"""`report.html` in headless Chromium, on a desk and on a phone."""

import pytest

from longspan.inference.evaluation.evaluation import evaluate_translations
from longspan.inference.evaluation.evidence import add_evidence
from longspan.inference.evaluation.files import write_evaluation
from longspan.inference.evaluation.report import write_report
from longspan.training.hyperparameters import Hyperparameters
from tests.document_pieces import compared_documents
from tests.page_checks import DESKTOP, PHONE, readable, show

LENGTHS = (3, 8, 15, 25, 40, 60, 90, 150)
REFERENCES = ["".join(chr(0x3042 + (i * n) % 70) for i in range(2 * n)) for n in LENGTHS]


def evidence():
    """A long sentence of 200 by 260 tokens, a search of 12 jobs, 30 checkpoints."""
    rows, columns = 260, 200
    weights = [[float(c == r * columns // rows) for c in range(columns)] for r in range(rows)]
    history = [
        {"updates": 500 * n, "train:loss": 6 / n, "validation:loss": 7 / n} for n in range(1, 31)
    ]
    jobs = [
        {"name": f"job-{i}", "status": "Completed", "objective": 30.0 + i % 3, "hyperparameters":
         {"attention_dropout": str(0.1234567891234 / (i + 1)), "attention_type": "scaled_dot",
          "a_hyperparameter_with_a_rather_long_name": str(i % 3)}} for i in range(12)
    ]  # fmt: skip
    system = {"history": history, "hyperparameters": Hyperparameters(beam_size=4).to_dict()}
    return {
        "model": system,
        "against": system,
        "alignment": {
            "words": 150, "source": "word " * 150, "reference": REFERENCES[-1],
            "translation": REFERENCES[-1], "rows": ["\u306e"] * rows,
            "columns": ["\u2581international"] * columns, "weights": weights,
        },
        "tuning": {"metric": "validation:bleu_long", "direction": "Maximize", "jobs": jobs},
        "config_sha256": "0123456789abcdef" * 4,
    }  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    sources = [" ".join(["word"] * n) for n in LENGTHS]
    model = evaluate_translations(sources, REFERENCES, REFERENCES, language="ja", resamples=20)
    halves = [text[: len(text) // 2] for text in REFERENCES]
    other = evaluate_translations(sources, REFERENCES, halves, language="ja", resamples=20)
    details = {"weights_sha256": "89abcdef01234567" * 4}
    write_evaluation(
        folder,
        model,
        details=details,
        against=other,
        against_details=details,
        documents=compared_documents(),
    )
    add_evidence(folder, evidence())
    return write_report(folder, "Quality by sentence length").as_uri()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_it_is_readable(page, url, width, dark):
    readable(show(page, url, width, dark=dark), width)


def test_dark_is_dark(page, url):
    colour = "getComputedStyle(document.body).backgroundColor"
    show(page, url, PHONE)
    light = page.evaluate(colour)
    show(page, url, PHONE, dark=True)
    assert page.evaluate(colour) != light == "rgb(255, 255, 255)"


def test_everything_is_there_and_drawn(page, url):
    show(page, url, DESKTOP)
    titles = page.evaluate("[...document.querySelectorAll('h2')].map(e => e.textContent)")
    assert titles == [
        "The same text at any length", "By length of the piece", "By place in the piece",
        "By sentence length", "Attention on a sentence of 150 words", "The search", "Training",
        "Hyperparameters", "Examples", "How it was measured",
    ]  # fmt: skip
    captions = page.evaluate("[...document.querySelectorAll('figcaption')].map(e => e.textContent)")
    for figure in ("BLEU", "chrF", "length", "4-grams"):
        assert any(figure in caption for caption in captions)
    drawn = page.evaluate(
        "fetch(document.querySelector('svg image').href.baseVal).then(r => r.blob())"
        ".then(createImageBitmap).then(bitmap => [bitmap.width, bitmap.height])"
    )
    assert drawn == [200, 260]
    bars = page.evaluate("[...document.querySelectorAll('.bar span')].map(e => e.offsetWidth)")
    assert bars[0] > bars[1] >= 0


def test_it_asks_for_nothing_and_complains_of_nothing(page, url):
    page.messages.clear()
    show(page, url, PHONE)
    assert page.evaluate("performance.getEntriesByType('resource').length") == 0
    wrong = ("Runtime.exceptionThrown", "Log.entryAdded")
    assert [m for m in page.messages if m.get("method") in wrong] == []
