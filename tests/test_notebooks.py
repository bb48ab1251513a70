"""Every notebook runs from its first cell to its last, on a small config of the same pipeline."""

import html
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.pipelines.small_config import small_config

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs/notebooks").glob("*.ipynb"))


@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "longspan.yaml").write_text(small_config())
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "clear its outputs"
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}})
    client.execute()
    run, tuner, table, report, answer = [shown(cell) for cell in notebook.cells if shown(cell)][1:]
    assert "('Succeeded', '')" in run
    assert "attention_heads" in tuner
    assert "validation:bleu_long" in tuner
    assert "over 100" in table
    assert "<svg" in html.unescape(report)  # the curves
    assert "translation: " in answer


def shown(cell: Any) -> str:
    """What a cell printed, and its value, as text and as HTML."""
    found = []
    for output in cell.get("outputs", ()):
        assert output.get("name") != "stderr", output["text"]
        data = output.get("data", {})
        found += [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
    return "\n".join(found)
