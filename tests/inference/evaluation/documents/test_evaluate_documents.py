"""`longspan evaluate --documents` with a model of random weights, and going on after a stop."""

import csv
import json

import pytest

from longspan.inference.evaluation.documents.evaluate_documents import DocumentSettings
from longspan.inference.evaluation.documents.output import PieceOutput
from longspan.inference.evaluation.documents.piece_translator import PieceTranslator
from longspan.inference.evaluation.documents.pieces import read_documents, units_of
from longspan.inference.evaluation.evaluate import EvaluationJob, evaluate
from longspan.inference.translation.translator import Translator
from longspan.pipelines.command import main
from longspan.training.errors import DataError
from longspan.training.pairs.pairs import Pair

SIZES = (7, 3, 5)


def write_test(path, *, doc="doc"):
    rows = [
        f"d{d}#{line}\tw{line % 12} w1 w{d}. w2 w{line}\tw3 w{d} w{line % 5}"
        for d, size in enumerate(SIZES)
        for line in range(1, size + 1)
    ]
    path.write_text("\n".join([f"{doc}\tsource\ttarget", *rows]) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def test_file(tmp_path):
    return write_test(tmp_path / "test.tsv")


@pytest.fixture
def model(model_directory):
    return str(model_directory)


def job(model, test, out, **others):
    return EvaluationJob(
        model, [test], str(out), resamples=20, documents=DocumentSettings((10,)), **others
    )


def test_everything_is_written_and_the_page_begins_with_it(model, test_file, tmp_path):
    out = tmp_path / "out"
    done = evaluate(job(model, test_file, out))
    assert not list(out.glob(".*"))
    document = json.loads((out / "evaluation.json").read_text())
    figures = document["documents"]
    assert (figures["documents"], figures["rows"]) == (3, sum(SIZES))
    shown = [(unit["unit"], unit["split"]) for unit in figures["units"]]
    assert shown[0] == ("rows", False)
    assert ("documents", False) in shown
    assert ("documents", True) in shown
    assert figures["units"][0]["bleu"] == pytest.approx(document["all"]["bleu"])
    page = (out / "report.html").read_text()
    assert page.index("The same text at any length") < page.index("<svg")
    assert (out / "documents.svg").read_text().startswith("<svg")
    with (out / "documents.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) == len(shown) * sum(SIZES)
    assert done.documents is not None
    # Divided or not, the output is what the model says of the whole document.
    whole = (
        Translator.open(model)
        .translate([" ".join(pair.source for pair in read_documents_of(done)[:7])])[0]
        .text
    )
    parts = [r["hypothesis"] for r in rows if (r["unit"], r["split"]) == ("documents", "0")]
    assert " ".join(part for part in parts[:7] if part).split() == whole.split()


def read_documents_of(done):
    return done.documents.documents.rows


def test_the_same_again_gives_the_same_bytes(model, test_file, tmp_path):
    for name in ("a", "b"):
        evaluate(job(model, test_file, tmp_path / name))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


class Counting:
    """A translator that notes its texts, and stops after some calls as a kill would."""

    def __init__(self, translator, calls=10**9):
        self.tokenizer = translator.tokenizer
        self._translator = translator
        self._calls = calls
        self.texts = []

    def translate(self, texts):
        if not self._calls:
            raise KeyboardInterrupt
        self._calls -= 1
        self.texts += texts
        return self._translator.translate(texts)


def test_a_stopped_run_goes_on_where_it_was(model, tmp_path, monkeypatch):
    monkeypatch.setattr("longspan.inference.evaluation.documents.piece_translator._AT_A_TIME", 40)
    pairs = [Pair(f"w{n} w1. w2", "w3", "d", n) for n in range(9)]
    documents = read_documents(pairs)
    units = units_of(documents, (8,))
    path, translator = tmp_path / "outputs.jsonl", Translator.open(model)

    def pieces(counting, origin="model 1", known=()):
        return PieceTranslator(counting, "en", path, origin, dict(known))

    whole = Counting(translator)
    expected = pieces(whole).translate(documents, units)
    path.unlink()
    stopped = Counting(translator, calls=3)
    with pytest.raises(KeyboardInterrupt):
        pieces(stopped).translate(documents, units)
    path.write_bytes(path.read_bytes() + b'{"source": "cut o')
    rest = Counting(translator)
    assert pieces(rest).translate(documents, units) == expected
    assert stopped.texts
    assert sorted(stopped.texts + rest.texts) == sorted(whole.texts)
    nothing = Counting(translator)
    assert pieces(nothing).translate(documents, units) == expected
    assert nothing.texts == []
    # Outputs of another model or search are not used.
    other = Counting(translator)
    pieces(other, "model 2").translate(documents, units)
    assert sorted(other.texts) == sorted(whole.texts)
    known = {pair.source: PieceOutput("known") for pair in pairs}
    found, _ = pieces(Counting(translator), known=known.items()).translate(documents, units)
    assert {output.text for output in found[0]} == {"known"}


def test_what_has_no_documents_is_refused_or_noted(model, tmp_path):
    test = write_test(tmp_path / "plain.tsv", doc="other")
    with pytest.raises(DataError, match=r"plain\.tsv: --documents: expected a column doc"):
        evaluate(job(model, test, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    lenient = EvaluationJob(
        model, [test], str(tmp_path / "out"), resamples=5,
        documents=DocumentSettings(required=False),
    )  # fmt: skip
    assert evaluate(lenient).documents is None
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert "documents" not in document
    assert any("no column with documents" in note for note in document["notes"])


def test_a_file_of_translations_is_refused(test_file, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("x\n" * sum(SIZES))
    with pytest.raises(DataError, match="expected a model directory, got a file"):
        evaluate(job(str(lines), test_file, tmp_path / "out"))


def test_the_command_names_its_column_and_its_sizes(model, tmp_path, capsys):
    test = write_test(tmp_path / "test.tsv", doc="article")
    words = ["evaluate", model, test, "--documents", "--document-column", "article",
             "--group-words", "10", "--group-words", "20", "--resamples", "5", "--threads", "1",
             "--out", str(tmp_path / "out")]  # fmt: skip
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split("  ")[0] for line in lines]
    assert [n for n in names if n in ("rows", "10 words", "20 words", "documents")] == [
        "rows", "10 words", "20 words", "documents",
    ]  # fmt: skip
