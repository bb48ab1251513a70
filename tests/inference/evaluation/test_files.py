"""Evaluations that were edited by hand: read as they are, or refused with what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from longspan.inference.evaluation import report_sections
from longspan.inference.evaluation.evaluation import evaluate_translations
from longspan.inference.evaluation.evidence import add_evidence, read_evidence
from longspan.inference.evaluation.files import read_evaluation, write_evaluation
from longspan.inference.evaluation.report import write_report
from longspan.pipelines.runs.results import evaluation_lines
from longspan.training.errors import DataError
from longspan.training.model.config import HistoryEntry
from longspan.training.model.outcome import TrainingOutcome
from tests.damage import altered, places
from tests.document_pieces import compared_documents


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with a baseline and evidence."""
    sources, references = ["a b c d"] * 3, ["x y z w"] * 3
    right, wrong = (
        evaluate_translations(sources, references, hypotheses, tokenize="none", resamples=5)
        for hypotheses in (references, ["x y"] * 3)
    )
    directory = tmp_path_factory.mktemp("evaluation")
    training = {
        "model": TrainingOutcome(complete=False, reason="stopped", updates=1, tokens=2),
        "against": TrainingOutcome(),
    }
    write_evaluation(
        directory, right, against=wrong, training=training, documents=compared_documents()
    )
    entry = {"updates": 4, "seconds": 2.0, "validation:bleu": 1.0}
    history = [{**entry, "validation:loss_by_bucket": {"1-5": 1.0}}]
    add_evidence(directory, {"model": {"history": history, "hyperparameters": {"seed": 1}}})
    return directory


def outcome(directory: Path) -> str:
    try:
        list(evaluation_lines(read_evaluation(directory)))
        write_report(directory, "changed")
    except DataError as error:
        return str(error)
    return "read"


VALUES: list[Any] = [3, "x", None, [], {}, ...]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", ["evaluation.json", "evidence.json"])
def test_what_was_changed_by_hand_is_read_or_refused(
    folder: Path, tmp_path: Path, name: str, value: Any
) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert outcome(tmp_path) == "read"
    document = json.loads((folder / name).read_text())
    outcomes = set()
    ways = list(places(document))
    # Of many places each gets one of the values, since all reports together take long.
    for way in ways[VALUES.index(value) :: len(VALUES)] if len(ways) > 100 else ways:
        (tmp_path / name).write_text(json.dumps(altered(document, way, value)))
        outcomes.add(outcome(tmp_path))
    refused = outcomes - {"read"}
    assert refused
    assert all(one.startswith(f"{tmp_path / name}: expected an evaluation") for one in refused)


@pytest.mark.parametrize(
    ("way", "value", "came"),
    [
        (("format",), "other", "format: expected longspan-evaluation, got 'other'"),
        (("version",), 2, "version: expected 1, got 2"),
        (("all", "bleu"), "high", "all.bleu: expected a number or null, got 'high'"),
        (("buckets", 0, "name"), "1-4", "expected the groups 1-5, 6-10, .* got 1-4, 6-10"),
        (("against", "long"), ..., "against.long: is missing"),
        (("comparison", "1-5"), 3, "comparison.1-5: expected an object, got 3"),
        (
            ("training", "model", "complete"),
            1,
            "training.model.complete: expected true",
        ),
        (("notes",), [3], r"notes\[0\]: expected a text, got 3"),
    ],
)
def test_what_is_wrong_is_named(
    folder: Path, tmp_path: Path, way: tuple[Any, ...], value: Any, came: str
) -> None:
    document = json.loads((folder / "evaluation.json").read_text())
    (tmp_path / "evaluation.json").write_text(json.dumps(altered(document, way, value)))
    with pytest.raises(DataError, match=rf"evaluation\.json: expected an evaluation: {came}"):
        read_evaluation(tmp_path)


def test_evidence_that_is_none_is_named(tmp_path: Path) -> None:
    assert read_evidence(tmp_path) == {}
    (tmp_path / "evidence.json").write_text("[]")
    with pytest.raises(DataError, match=r"evidence\.json: .*expected an object, got a list"):
        read_evidence(tmp_path)


def test_every_curve_of_the_report_is_checked() -> None:
    checked = {field.alias for field in HistoryEntry.model_fields.values()}
    assert {name for name, _ in report_sections._CURVES} == checked - {None}
